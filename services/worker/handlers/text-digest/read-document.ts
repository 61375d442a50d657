import { constants } from "node:fs";
import { open, type FileHandle } from "node:fs/promises";
import { basename, extname } from "node:path";
import { PermanentError } from "#libs/define-task/define-task.js";
import { fileSystemError } from "#worker/handlers/file-system-error.js";
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
  return { text: decodeText(await readBytes(path), path), format, title: source.title, fileName: basename(path) };
}

async function readBytes(path: string): Promise<Buffer> {
  let file: FileHandle | undefined;
  try {
    // Without O_NONBLOCK, opening a named pipe would wait for its writer.
    file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const { size, isFile } = await file.stat().then((stats) => ({ size: stats.size, isFile: stats.isFile() }));
    if (!isFile) throw new PermanentError("NOT_A_FILE", `${path} is not a regular file`, { details: { path } });
    if (size > MAX_DOCUMENT_BYTES) throw tooLarge(path, size);
    const buffer = Buffer.alloc(MAX_DOCUMENT_BYTES + 1);
    let length = 0;
    for (;;) {
      const { bytesRead } = await file.read(buffer, length, buffer.length - length);
      length += bytesRead;
      if (length > MAX_DOCUMENT_BYTES) throw tooLarge(path, length);
      if (bytesRead === 0) return buffer.subarray(0, length);
    }
  } catch (error) {
    throw fileSystemError(error, "read", path);
  } finally {
    await file?.close();
  }
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

function tooLarge(path: string, bytes: number): PermanentError {
  return new PermanentError(
    "FILE_TOO_LARGE",
    `${path} has ${bytes} bytes or more; at most ${MAX_DOCUMENT_BYTES} are read`,
    {
      details: { path, maxBytes: MAX_DOCUMENT_BYTES },
    },
  );
}
