import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const PARENT = fileURLToPath(new URL("../../../.cache/test/", import.meta.url));

/** A new empty directory inside the project's cache, and how to remove it. */
export function freshDirectory(): { readonly path: string; remove(): void } {
  mkdirSync(PARENT, { recursive: true });
  const path = mkdtempSync(join(PARENT, "t-"));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}
