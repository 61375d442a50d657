import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { environment } from "#libs/config/environment.js";
import { CLI, type CliResult } from "#test/support/run-cli.js";

const BUF = fileURLToPath(new URL("../../../node_modules/.bin/buf", import.meta.url));

/**
 * What the README's shell has: `taskwire` as its alias makes it, and a `grpcurl` that calls `buf curl` with the same method and JSON.
 * It knows the forms `list`, `describe SERVICE` (lists the service's methods) and `[-max-time SECONDS] -d JSON … METHOD`, and refuses all others.
 */
const PRELUDE = `
set -euo pipefail
taskwire() { '${process.execPath}' '${CLI}' "$@"; }
buf_curl() { '${BUF}' curl --http2-prior-knowledge --protocol grpc "$@"; }
grpcurl() {
  [ "$1" = -plaintext ] || { echo "grpcurl without -plaintext" >&2; return 64; }
  shift
  case "$#:$1:\${2:-}" in
    2:*:list) buf_curl --list-services "http://$1" ;;
    3:*:describe) buf_curl --list-methods "http://$1" | grep "^$3/" ;;
    4:-d:*) buf_curl -d "$2" "http://$3/$4" ;;
    6:-max-time:*) buf_curl --timeout "$2s" -d "$4" "http://$5/$6" ;;
    *) echo "grpcurl in a form that is not known here: $*" >&2; return 64 ;;
  esac
}
`;

/**
 * Runs a script as bash does, with the README's commands, in `cwd`. Only the given `TASKWIRE_…` settings count; `args` are the script's
 * `$1`, `$2`, ….
 */
export async function runShell(
  script: string,
  options: {
    readonly cwd: string;
    readonly env: Readonly<Record<string, string>>;
    readonly args?: readonly string[];
  },
): Promise<CliResult> {
  const inherited = Object.entries(environment()).filter(([name]) => !name.startsWith("TASKWIRE_"));
  const child = spawn("bash", ["-c", PRELUDE + script, "bash", ...(options.args ?? [])], {
    cwd: options.cwd,
    env: { ...Object.fromEntries(inherited), NO_COLOR: "1", ...options.env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  await once(child, "close");
  return { stdout, stderr, exitCode: child.exitCode };
}
