/* Microsoft, [MS-OLEPS] “Object Linking and Embedding (OLE) Property Set Data Structures”, 2.20–2.21. */
const FIRST_SET_OFFSET = 44;
const TITLE = 2;
const WIDE_TEXT = 0x1f;
const MAX_PROPERTIES = 1000;

/** The title in the summary stream of a compound file; undefined where there is none that can be read. */
export function summaryTitle(summary: Buffer | undefined): string | undefined {
  if (summary === undefined) return undefined;
  try {
    const set = summary.readUInt32LE(FIRST_SET_OFFSET);
    const count = Math.min(summary.readUInt32LE(set + 4), MAX_PROPERTIES);
    for (let index = 0; index < count; index += 1) {
      const entry = set + 8 + index * 8;
      if (summary.readUInt32LE(entry) !== TITLE) continue;
      const value = set + summary.readUInt32LE(entry + 4);
      if (summary.readUInt32LE(value) !== WIDE_TEXT) return undefined;
      const characters = summary.readUInt32LE(value + 4);
      return summary.toString("utf16le", value + 8, value + 8 + characters * 2).replace(/\0.*$/s, "");
    }
  } catch (error) {
    // A summary that ends too early has no title.
    if (!(error instanceof RangeError)) throw error;
  }
  return undefined;
}
