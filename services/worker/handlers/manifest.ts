import { fileURLToPath } from "node:url";

/** The module files of the built-in handlers, absolute. Naming them loads nothing; each default-exports one task definition. */
export const BUILT_IN_HANDLERS: readonly string[] = [
  "health-check.js",
  "no-op.js",
  "no-op-process.js",
  "text-digest.js",
  "report-generate.js",
  "document-extract.js",
  "document-chunk.js",
  "webhook-deliver.js",
  "resume-process.js",
].map((file) => fileURLToPath(new URL(file, import.meta.url)));
