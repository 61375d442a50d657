import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A new empty directory, and how to remove it. */
export function freshDirectory(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), "taskwire-test-"));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}
