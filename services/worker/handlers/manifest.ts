import { fileURLToPath } from "node:url";

/** The module files of the built-in handlers, absolute. Naming them loads nothing; each default-exports one task definition. */
export const BUILT_IN_HANDLERS: readonly string[] = [
  "health-check.js",
  "no-op.js",
  "no-op-process.js",
  "text-digest.js",
  "report-generate.js",
  "resume-process.js",
].map(pathOf);

/** The built-in types whose handlers get a key derived from the worker's, by type: their module files, absolute. */
export const KEYED_HANDLERS: ReadonlyMap<string, string> = new Map([["resume.process", pathOf("resume-process.js")]]);

function pathOf(file: string): string {
  return fileURLToPath(new URL(file, import.meta.url));
}
