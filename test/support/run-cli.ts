import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { environment } from "#libs/config/environment.js";

/** The command line as node runs it. */
export const CLI = fileURLToPath(new URL("../../cli/main.js", import.meta.url));

/** What a command did. */
export interface CliResult {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number | null;
}

/** A `taskwire` command that runs. */
export interface RunningCli {
  readonly process: ChildProcess;
  readonly pid: number;
  /** What it has printed to stdout so far. */
  stdout(): string;
  /** Resolves when it has ended. */
  readonly result: Promise<CliResult>;
}

/** Starts `taskwire ARGS`, with no setting of ours but the given ones. */
export function startCli(
  args: readonly string[],
  options: {
    readonly env?: Readonly<Record<string, string>>;
    readonly input?: string;
    /** The user it runs as; default the test's own. Only root can choose. */
    readonly uid?: number;
  } = {},
): RunningCli {
  const inherited = Object.entries(environment()).filter(([name]) => !/^(TASKWIRE_|ENCRYPTION_|NODE_ENV$)/.test(name));
  const child = spawn(process.execPath, [CLI, ...args], {
    env: { ...Object.fromEntries(inherited), NO_COLOR: "1", ...options.env },
    stdio: ["pipe", "pipe", "pipe"],
    ...(options.uid === undefined ? {} : { uid: options.uid }),
  });
  child.stdin.on("error", () => undefined);
  child.stdin.end(options.input ?? "");
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  return {
    process: child,
    pid: child.pid ?? 0,
    stdout: () => stdout,
    result: once(child, "close").then(() => ({ stdout, stderr, exitCode: child.exitCode })),
  };
}

/** Runs `taskwire ARGS` to its end. */
export function runCli(args: readonly string[], options?: Parameters<typeof startCli>[1]): Promise<CliResult> {
  return startCli(args, options).result;
}
