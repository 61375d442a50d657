import { basename } from "node:path";
import { extractDocument, type ExtractedDocument } from "#worker/documents/extract-document.js";
import type { HandlerSettings } from "#worker/handlers/handler-settings.js";
import { readFileBytes } from "#worker/handlers/read-file-bytes.js";

/** A document as its task names it: exactly one of a text and a path. */
interface DocumentSource {
  readonly text?: string | undefined;
  readonly path?: string | undefined;
}

/**
 * The text of a document: what the payload brought, taken as it is, or what the file at a path says. Throws as `readFileBytes` and
 * `extractDocument` do.
 */
export async function loadText(
  source: DocumentSource,
  options: {
    readonly signal: AbortSignal;
    readonly settings: HandlerSettings;
    readonly onPage?: (page: number, pages: number) => void;
  },
): Promise<ExtractedDocument> {
  const { signal, settings } = options;
  if (source.path === undefined) return { format: "text", text: source.text ?? "" };
  const bytes = await readFileBytes(source.path, { maxBytes: settings.documentBytes, signal });
  return extractDocument(bytes, {
    name: basename(source.path),
    signal,
    limits: settings,
    ...(options.onPage === undefined ? {} : { onPage: options.onPage }),
  });
}
