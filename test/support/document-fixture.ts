import { fileURLToPath } from "node:url";

/** The absolute path of a file in `test/fixtures/documents`. */
export function documentFixture(name: string): string {
  return fileURLToPath(new URL(`../../../test/fixtures/documents/${name}`, import.meta.url));
}
