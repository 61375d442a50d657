import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const PARENT = fileURLToPath(new URL("../../../.cache/robustness/", import.meta.url));

/** A new folder for a run, inside the project's cache; what a broken run leaves there is for people to read. */
export function runFolder(seed: number): { readonly path: string; remove(): void } {
  const path = join(PARENT, `seed-${seed}-${process.pid}`);
  rmSync(path, { recursive: true, force: true });
  mkdirSync(path, { recursive: true });
  return {
    path,
    remove: () => {
      rmSync(path, { recursive: true, force: true });
    },
  };
}
