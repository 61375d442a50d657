import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** The paths, relative to a directory, of all files anywhere below it that contain a text. */
export function filesWith(directory: string, text: string): string[] {
  const entries = readdirSync(directory, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && readFileSync(join(entry.parentPath, entry.name)).includes(text))
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1))
    .sort();
}
