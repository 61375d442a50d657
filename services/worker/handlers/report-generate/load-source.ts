import { fetchDocument } from "#worker/handlers/report-generate/fetch-document.js";
import type { ReportSource } from "#worker/handlers/report-generate/report-payload.js";
import { readDocument, type LoadedDocument } from "#worker/handlers/text-digest/read-document.js";

/** Loads a source of a report. Throws what `readDocument` and `fetchDocument` throw. */
export function loadSource(source: ReportSource, signal: AbortSignal): Promise<LoadedDocument> {
  return source.url === undefined ? readDocument(source) : fetchDocument(source.url, source.title, signal);
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
