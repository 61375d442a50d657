import { setImmediate as nextTurn } from "node:timers/promises";
import { inflateRawSync } from "node:zlib";
import { read as readCompoundFile, type CFB$Container } from "cfb";
import type { ExtractOptions, ReadText } from "#worker/documents/read-document.js";
import { hwpSectionText } from "#worker/documents/hwp-section-text.js";
import { invalidFile } from "#worker/documents/invalid-file.js";
import { summaryTitle } from "#worker/documents/summary-title.js";

/*
 * Hancom, “한글 문서 파일 형식 5.0”, revision 1.3 (2018), published at hancom.com: chapter 3 lists the streams of the compound file, 3.2.1 the
 * file header, 4.3 the records of the sections.
 */
const HEADER_BYTES = 40;
const MAJOR_VERSION_OFFSET = 35;
const FLAGS_OFFSET = 36;
const COMPRESSED = 1 << 0;
/** Bits for a password, for distribution only, for rights management, for encryption by a certificate and its rights management. */
const LOCKED = (1 << 1) | (1 << 2) | (1 << 4) | (1 << 8) | (1 << 10);
const DISTRIBUTION = 1 << 2;
const SECTION = /^Root Entry\/BodyText\/Section(\d+)$/;

/**
 * Reads the text of an HWP 5 document: the compound file with `cfb`, the records of its sections by Hancom's published format, because no
 * pure JavaScript library reads them within bounds. Paragraphs of tables, text boxes and notes stand where they are anchored; headers,
 * footers, hidden comments and equations are left out.
 *
 * Throws `INVALID_FILE`: `encrypted` (a password, a distribution document, rights management), `archive_limit` (unpacked bytes),
 * `unsupported` (another major version), `truncated` or `damaged`; or the signal's reason.
 */
export async function readHwp(bytes: Buffer, { signal, limits }: ExtractOptions): Promise<ReadText> {
  const container = openContainer(bytes);
  const header = stream(container, "Root Entry/FileHeader");
  if (header === undefined || header.length < HEADER_BYTES) {
    throw invalidFile("damaged", "the HWP document has no file header");
  }
  if (header[MAJOR_VERSION_OFFSET] !== 5) throw invalidFile("unsupported", "the HWP document is not of version 5");
  const flags = header.readUInt32LE(FLAGS_OFFSET);
  if ((flags & LOCKED) !== 0) {
    const how = (flags & DISTRIBUTION) !== 0 ? "locked for distribution" : "protected by a password or by rights";
    throw invalidFile("encrypted", `the HWP document is ${how}`);
  }
  const sections = container.FullPaths.map((path) => ({ path, number: Number(SECTION.exec(path)?.[1] ?? Number.NaN) }))
    .filter(({ number }) => !Number.isNaN(number))
    .sort((a, b) => a.number - b.number);
  if (sections.length === 0) throw invalidFile("damaged", "the HWP document has no sections");
  const texts: string[] = [];
  let left = limits.documentUnpackedBytes;
  for (const { path } of sections) {
    await nextTurn();
    signal.throwIfAborted();
    const packed = stream(container, path) ?? Buffer.alloc(0);
    const records = (flags & COMPRESSED) === 0 ? packed : unpack(packed, left, limits.documentUnpackedBytes);
    left -= records.length;
    texts.push(hwpSectionText(records));
  }
  const title = summaryTitle(stream(container, "Root Entry/\u0005HwpSummaryInformation"));
  return { text: texts.join("\n\n"), ...(title === undefined ? {} : { title }) };
}

function openContainer(bytes: Buffer): CFB$Container {
  try {
    return readCompoundFile(bytes, { type: "buffer" });
  } catch (cause) {
    throw invalidFile("truncated", "the HWP document's compound file is not complete", { cause });
  }
}

function stream(container: CFB$Container, path: string): Buffer | undefined {
  const entry = container.FileIndex[container.FullPaths.indexOf(path)];
  if (entry?.content === undefined) return undefined;
  const content = Buffer.from(entry.content);
  if (content.length < entry.size) {
    throw invalidFile("truncated", "a part of the HWP document is shorter than its directory says");
  }
  return content.subarray(0, entry.size);
}

function unpack(packed: Buffer, left: number, most: number): Buffer {
  try {
    return inflateRawSync(packed, { maxOutputLength: Math.max(1, left) });
  } catch (cause) {
    if (cause instanceof RangeError) {
      throw invalidFile("archive_limit", `the document unpacks to more than ${most} bytes`, { cause });
    }
    throw invalidFile("damaged", "a section of the HWP document cannot be unpacked", { cause });
  }
}
