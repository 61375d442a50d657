import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const PARENT = fileURLToPath(new URL("../../../.cache/test/", import.meta.url));
const left = new Set<string>();

process.on("exit", () => {
  for (const path of left) rmSync(path, { recursive: true, force: true });
});

/**
 * A new empty directory, by default inside the project's cache, and how to remove it. What is left when the process exits is removed then: hooks
 * of suites that a filter leaves out do not run, and those of failed suites may not get that far.
 */
export function freshDirectory(parent = PARENT): { readonly path: string; remove(): void } {
  mkdirSync(parent, { recursive: true });
  const path = mkdtempSync(join(parent, "t-"));
  left.add(path);
  return {
    path,
    remove: () => {
      rmSync(path, { recursive: true, force: true });
      left.delete(path);
    },
  };
}
