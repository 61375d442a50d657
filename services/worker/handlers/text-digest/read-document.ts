import { basename, extname } from "node:path";
import { PermanentError } from "#libs/define-task/define-task.js";
import { readFileBytes } from "#worker/handlers/read-file-bytes.js";
import type { DocumentFormat } from "#worker/handlers/text-digest/document-prose.js";

/** Largest document file, bytes. */
export const MAX_DOCUMENT_BYTES = 2 * 1024 * 1024;

/** A document as its task names it: exactly one of a text and a path. */
export interface DocumentSource {
  readonly text?: string | undefined;
  readonly path?: string | undefined;
  readonly title?: string | undefined;
  readonly format?: DocumentFormat | undefined;
}

/** A document's text, and what is known about it. */
export interface LoadedDocument {
  readonly text: string;
  readonly format: DocumentFormat;
  readonly title: string | undefined;
  /** The file's name, where it came from one. */
  readonly fileName: string | undefined;
}

const MARKDOWN_EXTENSIONS = new Set(["", ".md", ".markdown", ".mdown", ".mkd", ".mkdn", ".mdx"]);

/**
 * Loads a document. A text is taken as Markdown, a file by its extension (none: Markdown), unless `format` says otherwise.
 *
 * Throws PermanentError `FILE_NOT_FOUND`, `NOT_A_FILE`, `FILE_TOO_LARGE` (above 2 MiB), `NOT_TEXT` (a NUL byte, or no UTF-8) or
 * `FILE_SYSTEM_ERROR`; the last one as RetryableError where trying again may help.
 */
export async function readDocument(source: DocumentSource): Promise<LoadedDocument> {
  if (source.path === undefined) {
    return { text: source.text ?? "", format: source.format ?? "markdown", title: source.title, fileName: undefined };
  }
  const path = source.path;
  const format = source.format ?? (MARKDOWN_EXTENSIONS.has(extname(path).toLowerCase()) ? "markdown" : "plain");
  return {
    text: decodeText(await readFileBytes(path, { maxBytes: MAX_DOCUMENT_BYTES }), path),
    format,
    title: source.title,
    fileName: basename(path),
  };
}

function decodeText(bytes: Buffer, path: string): string {
  const notText = (why: string) =>
    new PermanentError("NOT_TEXT", `${path} is not UTF-8 text: ${why}`, { details: { path } });
  if (bytes.includes(0)) throw notText("it contains a NUL byte");
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw notText("it contains an invalid byte sequence");
  }
}
