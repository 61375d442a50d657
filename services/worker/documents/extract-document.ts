import { PermanentError } from "#libs/define-task/define-task.js";
import { claimedFormat, detectFormat, type DocumentFormat, formatLabel } from "#worker/documents/document-format.js";
import type { ExtractOptions, ReadDocument, ReadText } from "#worker/documents/read-document.js";
import { invalidFile } from "#worker/documents/invalid-file.js";

/** A document's text, and what else is known of it. */
export interface ExtractedDocument extends ReadText {
  readonly format: DocumentFormat;
}

/**
 * Takes the text out of a document: PDF, DOCX, HWP 5, HWPX, Markdown or plain text (UTF-8, or UTF-16 with a byte order mark). The format
 * is told by the content.
 *
 * Throws PermanentError `INVALID_FILE` (empty, unsupported, contradicting its name, truncated, damaged, encrypted or beyond a limit; which
 * one is `reason` in the details), PermanentError `NO_TEXT` (a scan, an empty document), or the signal's reason.
 */
export async function extractDocument(bytes: Buffer, options: ExtractOptions): Promise<ExtractedDocument> {
  options.signal.throwIfAborted();
  const format = detectFormat(bytes, options);
  const claimed = claimedFormat(options);
  if (claimed !== undefined && claimed !== format && !(isPlain(claimed) && isPlain(format))) {
    throw invalidFile("mismatch", `the file is ${formatLabel(format)}, not ${formatLabel(claimed)} as it is called`, {
      details: { format, claimed },
    });
  }
  const read = await reader(format);
  const { text: raw, title, pages } = await read(bytes, options);
  const text = cleanText(raw);
  if (text.length > options.limits.documentCharacters) {
    throw invalidFile(
      "too_much_text",
      `the document has ${text.length} characters; at most ${options.limits.documentCharacters} are taken`,
    );
  }
  if (!/[\p{L}\p{N}]/u.test(text)) throw noText(format, pages);
  const cleanTitle = title === undefined ? "" : cleanText(title).replace(/\s+/g, " ").trim();
  return {
    format,
    text,
    ...(cleanTitle === "" ? {} : { title: cleanTitle.slice(0, 500).toWellFormed() }),
    ...(pages === undefined ? {} : { pages }),
  };
}

/** Loads the reader of a format, and with it that format's library, when it is first needed. */
async function reader(format: DocumentFormat): Promise<ReadDocument> {
  switch (format) {
    case "pdf":
      return (await import("#worker/documents/read-pdf.js")).readPdf;
    case "docx":
      return (await import("#worker/documents/read-docx.js")).readDocx;
    case "hwp":
      return (await import("#worker/documents/read-hwp.js")).readHwp;
    case "hwpx":
      return (await import("#worker/documents/read-hwpx.js")).readHwpx;
    case "markdown":
    case "text":
      return (await import("#worker/documents/read-plain.js")).readPlain;
  }
}

function isPlain(format: DocumentFormat): boolean {
  return format === "text" || format === "markdown";
}

function cleanText(text: string): string {
  return text
    .replace(/\r\n?/g, "\n")
    .replace(/[^\P{Cc}\n\t]/gu, "")
    .replace(/(?<![ \t])[ \t]+\n/g, "\n")
    .replace(/\n{3,}/g, "\n\n")
    .trim()
    .toWellFormed();
}

function noText(format: DocumentFormat, pages: number | undefined): PermanentError {
  const message =
    format === "pdf"
      ? `the PDF has ${pages === 1 ? "a page" : `${pages ?? 0} pages`} but no text: it is probably a scan and needs character recognition (OCR) first`
      : "the document has no text";
  return new PermanentError("NO_TEXT", message, { details: { format, ...(pages === undefined ? {} : { pages }) } });
}
