import type { ReadText } from "#worker/documents/read-document.js";
import { invalidFile } from "#worker/documents/invalid-file.js";

/** Decodes a text file: UTF-8, or UTF-16 with a byte order mark. Throws `INVALID_FILE` for anything else. */
export function readPlain(bytes: Buffer): ReadText {
  const encoding = encodingOf(bytes);
  if (encoding === "utf-8" && bytes.includes(0)) {
    throw invalidFile("unsupported", "the file is of no known format and is not text: it contains a NUL byte");
  }
  try {
    return { text: new TextDecoder(encoding, { fatal: true }).decode(bytes) };
  } catch (cause) {
    throw invalidFile("unsupported", "the file is of no known format and is not UTF-8 text", { cause });
  }
}

function encodingOf(bytes: Buffer): "utf-8" | "utf-16le" | "utf-16be" {
  const mark = bytes.length < 2 ? 0 : bytes.readUInt16BE(0);
  if (mark === 0xfffe) return "utf-16le";
  return mark === 0xfeff ? "utf-16be" : "utf-8";
}
