import type { DocumentLimits } from "#worker/documents/document-settings.js";

/** What is known beside a document's bytes, and what holds for it. */
export interface ExtractOptions {
  /** The file's name; its extension must not contradict the content. */
  readonly name?: string | undefined;
  /** Its media type, looked at where the name says nothing. */
  readonly contentType?: string | undefined;
  /** Looked at between pages, parts and sections, each in a turn of its own: only between two turns can it fire. */
  readonly signal: AbortSignal;
  readonly limits: DocumentLimits;
  /** Told after each page of a PDF. */
  readonly onPage?: (page: number, pages: number) => void;
}

/** What the reader of a format takes out of a document. */
export interface ReadText {
  /** Paragraphs are parted by an empty line, lines of a PDF by a line break. Well-formed Unicode, line ends as LF. */
  readonly text: string;
  /** The title in the document's properties. */
  readonly title?: string;
  /** PDF only: the other formats are laid out when they are shown. */
  readonly pages?: number;
}

/** The reader of one format. */
export type ReadDocument = (bytes: Buffer, options: ExtractOptions) => Promise<ReadText> | ReadText;
