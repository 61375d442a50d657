import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const SOURCES = fileURLToPath(new URL("../../../test/faults/", import.meta.url));
const CACHE = fileURLToPath(new URL("../../../.cache/fault-shim/", import.meta.url));
const UNITS = ["fault-shim.c", "shadow-files.c", "clock-shim.c"];
const HEADER = "fault-shim.h";

/** Why the fault shim cannot be used here; undefined: it can. */
export function whyNoFaultShim(): string | undefined {
  if (process.platform !== "linux") return `needs LD_PRELOAD of Linux, this is ${process.platform}`;
  try {
    execFileSync("cc", ["--version"], { stdio: "ignore" });
    return undefined;
  } catch {
    return "needs a C compiler: no `cc` on the PATH";
  }
}

/** The path of the compiled shim. Compiles it when its source has changed; throws with the compiler's words. */
export function compileFaultShim(): string {
  const hash = createHash("sha256").update(process.arch);
  for (const name of [...UNITS, HEADER]) hash.update(readFileSync(join(SOURCES, name)));
  const path = join(CACHE, `${hash.digest("hex").slice(0, 16)}.so`);
  if (existsSync(path)) return path;
  mkdirSync(CACHE, { recursive: true });
  const fresh = `${path}.${process.pid}`;
  const flags = ["-shared", "-fPIC", "-O2", "-Wall", "-Wextra", "-Werror", "-o", fresh];
  execFileSync("cc", [...flags, ...UNITS.map((name) => join(SOURCES, name)), "-ldl", "-lpthread"], { stdio: "pipe" });
  renameSync(fresh, path);
  return path;
}
