import { zipSync } from "fflate";
import mammoth from "mammoth";
import type { ExtractOptions, ReadText } from "#worker/documents/read-document.js";
import { invalidFile } from "#worker/documents/invalid-file.js";
import { readArchive } from "#worker/documents/read-archive.js";
import { xmlTexts } from "#worker/documents/xml-texts.js";

/** The XML that text may be in or that leads to it; no pictures, themes, and data of other programs. */
const WANTED = /^(?:\[Content_Types\]\.xml|(?:word\/)?_rels\/[^/]+\.rels|word\/[^/]+\.xml|docProps\/core\.xml)$/i;
/** Where the document's properties are (ECMA-376 part 2). */
const PROPERTIES = "docProps/core.xml";

/**
 * Reads the text of a DOCX document with `mammoth`: paragraphs, tables, text boxes, links; no headers, footers, comments and notes.
 * mammoth is given a new archive of the document's XML parts, unpacked within the limits, so it never unpacks the file itself.
 *
 * Throws `INVALID_FILE` as `readArchive` does, and `damaged` for XML that cannot be read; or the signal's reason.
 */
export async function readDocx(bytes: Buffer, { signal, limits }: ExtractOptions): Promise<ReadText> {
  const parts = await readArchive(bytes, {
    signal,
    limits,
    maxBytes: limits.documentDocxBytes,
    wanted: (name) => WANTED.test(name),
  });
  const archive = zipSync(Object.fromEntries(parts), { level: 0 });
  signal.throwIfAborted();
  try {
    const { value } = await mammoth.extractRawText({ buffer: Buffer.from(archive) });
    const properties = parts.get(PROPERTIES);
    const title = properties === undefined ? undefined : xmlTexts(properties, ["title"])[0];
    return { text: value, ...(title === undefined ? {} : { title }) };
  } catch (cause) {
    throw invalidFile("damaged", "the DOCX document cannot be read: its XML is broken", { cause });
  }
}
