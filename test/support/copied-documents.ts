import { copyFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { documentFixture } from "#test/support/document-fixture.js";

/** Copies files of `test/fixtures/documents` into a new folder `documents` below a directory, and returns its path. */
export function copiedDocuments(
  directory: string,
  names: readonly string[] = ["tides.md", "tides.ko.md", "harbour.txt", "picture.md"],
): string {
  const folder = join(directory, "documents");
  mkdirSync(folder);
  for (const name of names) copyFileSync(documentFixture(name), join(folder, name));
  return folder;
}
