import { execFile } from "node:child_process";
import { access, constants } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

/** The oldest nats-server that Taskwire works with. */
export const MINIMUM_NATS_SERVER = "2.9.10";

/** Where to look. */
export interface NatsServerPlaces {
  /** `TASKWIRE_NATS_SERVER`: a path that wins over everything else. */
  readonly named: string | undefined;
  /** The search path, as in `PATH`. */
  readonly path: string | undefined;
  /** The cache that `scripts/install-nats-server.sh` fills; default: the project's own. */
  readonly cache?: string;
}

/** No usable nats-server was found; the message says what was tried and the ways to get one. */
export class NatsServerMissing extends Error {
  override readonly name = "NatsServerMissing";

  constructor(tried: readonly string[]) {
    super(
      [
        `nats-server ${MINIMUM_NATS_SERVER} or later was not found.`,
        ...tried.map((line) => `  ${line}`),
        "Three ways to get it:",
        "  1. run `make install-nats-server` in the project (Debian, Ubuntu, Homebrew; needs no root)",
        "  2. install it: `apt-get install nats-server`, or `brew install nats-server`",
        "  3. put the binary on PATH, or name it in TASKWIRE_NATS_SERVER",
      ].join("\n"),
    );
  }
}

const run = promisify(execFile);
const PROJECT_CACHE = fileURLToPath(new URL("../../../.cache/nats-server/", import.meta.url));
const CACHED = ["usr/sbin/nats-server", "usr/bin/nats-server", "nats-server"];
const VERSION_TIMEOUT_MS = 10_000;

/**
 * Returns the path of the first nats-server that is new enough: the named one, then PATH, then the project's cache.
 * Throws {@link NatsServerMissing}. A named one that does not do is an error at once, because somebody meant it.
 */
export async function findNatsServer(places: NatsServerPlaces): Promise<string> {
  const tried: string[] = [];
  for (const candidate of candidates(places)) {
    if (!(await isExecutable(candidate))) {
      if (candidate === places.named)
        throw new NatsServerMissing([`TASKWIRE_NATS_SERVER=${candidate} is not an executable file`]);
      continue;
    }
    const version = await versionOf(candidate);
    if (version !== undefined && isAtLeast(version, MINIMUM_NATS_SERVER)) return candidate;
    tried.push(
      `${candidate} is ${version === undefined ? "not a nats-server" : `version ${version}, which is too old`}`,
    );
    if (candidate === places.named) throw new NatsServerMissing(tried);
  }
  throw new NatsServerMissing(tried);
}

function candidates(places: NatsServerPlaces): string[] {
  if (places.named !== undefined && places.named !== "") return [places.named];
  const onPath = (places.path ?? "").split(delimiter).filter((folder) => folder !== "");
  const cache = places.cache ?? PROJECT_CACHE;
  return [...onPath.map((folder) => join(folder, "nats-server")), ...CACHED.map((name) => join(cache, name))];
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

async function versionOf(path: string): Promise<string | undefined> {
  try {
    const { stdout } = await run(path, ["--version"], { timeout: VERSION_TIMEOUT_MS });
    return /nats-server: v(\d+\.\d+\.\d+)/.exec(stdout)?.[1];
  } catch {
    return undefined;
  }
}

/** Whether a version `a.b.c` is the minimum or later. */
export function isAtLeast(version: string, minimum: string): boolean {
  const [have, need] = [version.split(".").map(Number), minimum.split(".").map(Number)];
  for (const [index, wanted] of need.entries()) {
    const found = have[index] ?? 0;
    if (found !== wanted) return found > wanted;
  }
  return true;
}
