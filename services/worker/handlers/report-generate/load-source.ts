import { basename } from "node:path";
import { claimedFormat, type DocumentFormat } from "#worker/documents/document-format.js";
import { loadText } from "#worker/handlers/document/load-text.js";
import { handlerSettings } from "#worker/handlers/handler-settings.js";
import type { ReportSource } from "#worker/handlers/report-generate/report-payload.js";
import { MAX_DOCUMENT_BYTES, readDocument, type LoadedDocument } from "#worker/handlers/text-digest/read-document.js";

/** Formats that text must be taken out of. */
const PACKED: ReadonlySet<DocumentFormat | undefined> = new Set<DocumentFormat>(["pdf", "docx", "hwp", "hwpx"]);
/** What can be read beside other documents within the usual memory cap. */
const MAX_DOCX_BYTES = 4 * 1024 * 1024;

/**
 * Loads a source of a report: a text, a file or a URL; of PDF, DOCX, HWP and HWPX files, told by their names, the text. Throws what
 * `readDocument`, `loadText` and `fetchDocument` throw.
 */
export async function loadSource(source: ReportSource, signal: AbortSignal): Promise<LoadedDocument> {
  const { url, path, title } = source;
  if (url !== undefined) {
    // Loads slowly, and every worker process loads this file.
    const { fetchDocument } = await import("#worker/handlers/report-generate/fetch-document.js");
    return fetchDocument(url, title, signal);
  }
  if (path === undefined || source.format !== undefined || !PACKED.has(claimedFormat({ name: path }))) {
    return readDocument(source);
  }
  const settings = handlerSettings();
  const documentDocxBytes = Math.min(settings.documentDocxBytes, MAX_DOCX_BYTES);
  const documentCharacters = Math.min(settings.documentCharacters, MAX_DOCUMENT_BYTES);
  const read = await loadText({ path }, { signal, settings: { ...settings, documentDocxBytes, documentCharacters } });
  return { text: read.text, format: "plain", title: title ?? read.title, fileName: basename(path) };
}

/** Where a source is; undefined for a text of the payload. */
export function placeOf({ path, url }: ReportSource): string | undefined {
  return path ?? url;
}

/** What a source is called while it is read: its title, its path or the URL without its query, which may hold a key; else `documents[3]`. */
export function nameOf({ title, path, url }: ReportSource, index: number): string {
  if (title !== undefined) return title;
  if (url === undefined) return path ?? `documents[${index}]`;
  const { host, pathname } = new URL(url);
  return `${host}${pathname}`;
}
