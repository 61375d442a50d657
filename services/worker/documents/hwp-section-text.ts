import { invalidFile } from "#worker/documents/invalid-file.js";

/* Hancom, “한글 문서 파일 형식 5.0”, revision 1.3: 4.1 the record header, table 57 the tags, table 6 the control characters. */
const PARAGRAPH_TEXT = 0x10 + 51;
const CONTROL_HEADER = 0x10 + 55;
/** A record of this size has its real size in the four bytes behind its header. */
const LONG = 0xfff;

/** Control characters that stand alone; all others below 32 take eight units. */
const SINGLE = new Set([0, 10, 13, 24, 25, 26, 27, 28, 29, 30, 31]);
const CONTROL_UNITS = 8;
const SHOWN: Readonly<Record<number, string>> = { 9: "\t", 10: "\n", 24: "-", 30: "\u00A0", 31: " " };

/** Ids of the controls whose paragraphs are not part of the running text: header, footer, hidden comment. */
const APART = new Set(["head", "foot", "tcmt"]);

/** The text of one unpacked section of an HWP 5 document, paragraphs parted by empty lines. Throws `INVALID_FILE`, `damaged`. */
export function hwpSectionText(records: Buffer): string {
  const paragraphs: string[] = [];
  /** The level of the control whose paragraphs are being left out. */
  let apart: number | undefined;
  for (const { tag, level, data } of recordsOf(records)) {
    if (apart !== undefined && level <= apart) apart = undefined;
    if (apart !== undefined) continue;
    if (tag === CONTROL_HEADER && data.length >= 4 && APART.has(controlId(data))) apart = level;
    else if (tag === PARAGRAPH_TEXT) {
      const text = paragraphText(data);
      if (text.trim() !== "") paragraphs.push(text);
    }
  }
  return paragraphs.join("\n\n");
}

function* recordsOf(bytes: Buffer): Generator<{ tag: number; level: number; data: Buffer }> {
  let offset = 0;
  while (offset + 4 <= bytes.length) {
    const header = bytes.readUInt32LE(offset);
    offset += 4;
    let size = header >>> 20;
    if (size === LONG) {
      if (offset + 4 > bytes.length) throw damagedRecord();
      size = bytes.readUInt32LE(offset);
      offset += 4;
    }
    if (offset + size > bytes.length) throw damagedRecord();
    yield { tag: header & 0x3ff, level: (header >>> 10) & 0x3ff, data: bytes.subarray(offset, offset + size) };
    offset += size;
  }
}

/** Four letters, the last one first. */
function controlId(data: Buffer): string {
  return String.fromCharCode(data[3] ?? 0, data[2] ?? 0, data[1] ?? 0, data[0] ?? 0);
}

function paragraphText(data: Buffer): string {
  let text = "";
  let from = 0;
  const units = data.length >> 1;
  for (let unit = 0; unit < units; unit += 1) {
    const code = data.readUInt16LE(unit * 2);
    if (code >= 32) continue;
    text += data.toString("utf16le", from * 2, unit * 2) + (SHOWN[code] ?? "");
    if (!SINGLE.has(code)) unit += CONTROL_UNITS - 1;
    from = unit + 1;
  }
  return from < units ? text + data.toString("utf16le", from * 2, units * 2) : text;
}

function damagedRecord(): Error {
  return invalidFile("damaged", "a record of the HWP document is longer than its section");
}
