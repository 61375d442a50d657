import { PermanentError } from "#libs/define-task/define-task.js";
import { claimedFormat, detectFormat, type DocumentFormat, formatLabel } from "#worker/documents/document-format.js";
import type { DocumentLimits } from "#worker/documents/document-settings.js";
import { invalidFile } from "#worker/documents/invalid-file.js";

/** What is known beside a document's bytes, and what holds for it. */
export interface ExtractOptions {
  /** The file's name; its extension must not contradict the content. */
  readonly name?: string | undefined;
  /** Its media type, looked at where the name says nothing. */
  readonly contentType?: string | undefined;
  /** Looked at between pages, parts and sections. */
  readonly signal: AbortSignal;
  readonly limits: DocumentLimits;
  /** Told after each page of a PDF. */
  readonly onPage?: (page: number, pages: number) => void;
}

/** A document's text. */
export interface ExtractedDocument {
  readonly format: DocumentFormat;
  /** Paragraphs are parted by an empty line, lines of a PDF by a line break. Well-formed Unicode, line ends as LF. */
  readonly text: string;
  /** The title in the document's properties. */
  readonly title?: string;
  /** PDF only: the other formats are laid out when they are shown. */
  readonly pages?: number;
}

/** What a reader of one format returns. */
export type ReadText = Omit<ExtractedDocument, "format">;

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

type Reader = (bytes: Buffer, options: ExtractOptions) => Promise<ReadText> | ReadText;

/** Loads the reader of a format, and with it that format's library, when it is first needed. */
async function reader(format: DocumentFormat): Promise<Reader> {
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
