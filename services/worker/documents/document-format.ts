import { extname } from "node:path";
import { invalidFile } from "#worker/documents/invalid-file.js";

/** The formats that text is taken from. */
export const DOCUMENT_FORMATS = ["pdf", "docx", "hwp", "hwpx", "markdown", "text"] as const;

/** One of them. */
export type DocumentFormat = (typeof DOCUMENT_FORMATS)[number];

interface Described {
  readonly name?: string | undefined;
  readonly contentType?: string | undefined;
}

const LABELS: Readonly<Record<DocumentFormat, string>> = {
  pdf: "a PDF",
  docx: "a DOCX document",
  hwp: "an HWP 5 document",
  hwpx: "an HWPX document",
  markdown: "Markdown",
  text: "plain text",
};

/** A format as it stands in a sentence: `an HWP 5 document`. */
export function formatLabel(format: DocumentFormat): string {
  return LABELS[format];
}

const BY_EXTENSION: Readonly<Record<string, DocumentFormat>> = {
  ".pdf": "pdf",
  ".docx": "docx",
  ".hwp": "hwp",
  ".hwpx": "hwpx",
  ".md": "markdown",
  ".markdown": "markdown",
  ".mdown": "markdown",
  ".mkd": "markdown",
  ".txt": "text",
  ".text": "text",
};

const BY_MEDIA_TYPE: Readonly<Record<string, DocumentFormat>> = {
  "application/pdf": "pdf",
  "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
  "application/x-hwp": "hwp",
  "application/haansofthwp": "hwp",
  "application/vnd.hancom.hwp": "hwp",
  "application/hwp+zip": "hwpx",
  "application/vnd.hancom.hwpx": "hwpx",
  "text/markdown": "markdown",
};

/** The format that a file's name says it has; without a telling name its media type; undefined where neither tells. */
export function claimedFormat({ name, contentType }: Described): DocumentFormat | undefined {
  const byName = name === undefined ? undefined : BY_EXTENSION[extname(name).toLowerCase()];
  return byName ?? BY_MEDIA_TYPE[(contentType ?? "").split(";")[0]?.trim().toLowerCase() ?? ""];
}

/** Beginnings of files that are no document, or none that can be read. */
const REFUSED: readonly (readonly [bytes: string, label: string])[] = [
  ["\x89PNG", "a PNG picture"],
  ["\xFF\xD8\xFF", "a JPEG picture"],
  ["GIF8", "a GIF picture"],
  ["II*\0", "a TIFF picture"],
  ["MM\0*", "a TIFF picture"],
  ["{\\rtf", "an RTF document"],
  ["HWP Document File V", "an HWP document of version 3 or older"],
  ["\x1F\x8B", "a gzip file"],
  ["7z\xBC\xAF", "a 7z archive"],
  ["Rar!", "a RAR archive"],
  ["%!PS", "a PostScript file"],
  ["\x7FELF", "a program"],
];

/** A PDF's header may stand behind other bytes (ISO 32000-1, annex H, implementation note 13). */
const PDF_HEADER_WITHIN = 1024;
const CFB_MAGIC = Buffer.from("D0CF11E0A1B11AE1", "hex");

/**
 * Tells a document's format by its content; the name only tells Markdown from plain text. Of a zip archive and a compound file it looks
 * at the names within. Throws `INVALID_FILE`, `empty` or `unsupported`.
 */
export function detectFormat(bytes: Buffer, described: Described): DocumentFormat {
  if (bytes.length === 0) throw invalidFile("empty", "the file is empty");
  if (bytes.subarray(0, PDF_HEADER_WITHIN).includes("%PDF-")) return "pdf";
  if (bytes.subarray(0, 4).toString("latin1") === "PK\x03\x04") return zipFormat(bytes);
  if (bytes.subarray(0, 8).equals(CFB_MAGIC)) return compoundFormat(bytes);
  for (const [start, label] of REFUSED) {
    if (bytes.subarray(0, start.length).toString("latin1") === start) {
      throw invalidFile(
        "unsupported",
        `the file is ${label}; text is taken from PDF, DOCX, HWP 5, HWPX and text files`,
      );
    }
  }
  const claimed = claimedFormat(described);
  if (claimed === "pdf" || claimed === "docx" || claimed === "hwp" || claimed === "hwpx") {
    throw invalidFile("mismatch", `the file is not ${formatLabel(claimed)} as it is called`, { details: { claimed } });
  }
  return claimed === "markdown" ? "markdown" : "text";
}

/** The first file of an HWPX is its media type, unpacked (as in OCF); the names in a zip archive stand there as they are. */
function zipFormat(bytes: Buffer): DocumentFormat {
  if (bytes.subarray(0, 100).includes("mimetypeapplication/hwp+zip")) return "hwpx";
  if (bytes.includes("word/document.xml") || bytes.includes("word/document2.xml")) return "docx";
  if (bytes.includes("Contents/content.hpf")) return "hwpx";
  if (!bytes.includes("PK\x05\x06")) throw invalidFile("truncated", "the zip archive is not complete");
  throw invalidFile("unsupported", "the file is a zip archive, but neither a DOCX nor an HWPX document");
}

/** The names in a compound file's directory are UTF-16. */
function compoundFormat(bytes: Buffer): DocumentFormat {
  if (bytes.includes("HWP Document File") || bytes.includes(Buffer.from("BodyText", "utf16le"))) return "hwp";
  if (bytes.includes(Buffer.from("EncryptedPackage", "utf16le"))) {
    throw invalidFile("encrypted", "the file is an Office document protected by a password");
  }
  if (directoryEnd(bytes) > bytes.length) throw invalidFile("truncated", "the compound file is not complete");
  throw invalidFile("unsupported", "the file is a compound file (DOC, XLS, …), but no HWP 5 document");
}

/** Where the first sector of a compound file's directory ends ([MS-CFB], 2.2). */
function directoryEnd(bytes: Buffer): number {
  if (bytes.length < 52) return Number.POSITIVE_INFINITY;
  const sectorBytes = 2 ** bytes.readUInt16LE(30);
  return (bytes.readUInt32LE(48) + 2) * sectorBytes;
}
