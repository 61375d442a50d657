import { expect } from "chai";
import { hwpSectionText } from "#worker/documents/hwp-section-text.js";

describe("hwpSectionText", () => {
  const TEXT = 67;
  const CONTROL = 71;
  const record = (tag: number, level: number, data: Buffer): Buffer => {
    const long = data.length >= 0xfff;
    const header = Buffer.alloc(long ? 8 : 4);
    header.writeUInt32LE((tag | (level << 10) | ((long ? 0xfff : data.length) << 20)) >>> 0);
    if (long) header.writeUInt32LE(data.length, 4);
    return Buffer.concat([header, data]);
  };
  const paragraph = (level: number, text: string) => record(TEXT, level, Buffer.from(text, "utf16le"));
  const control = (level: number, id: string) => record(CONTROL, level, Buffer.from([...id].reverse().join("")));
  const extended = (code: number) => String.fromCharCode(code, 1, 2, 3, 4, 5, 6, code);

  it("reads paragraphs, and characters among controls", () => {
    const text = `${extended(2)}앞${extended(9)}뒤${extended(11)}\n끝\x1e말\x1f.\r`;
    expect(hwpSectionText(Buffer.concat([paragraph(1, text), paragraph(1, "둘째\r")]))).to.equal(
      "앞\t뒤\n끝\u00A0말 .\n\n둘째",
    );
  });

  it("leaves out headers, footers and hidden comments, and goes on behind them", () => {
    const records = Buffer.concat([
      paragraph(1, "본문\r"),
      ...["head", "foot", "tcmt"].flatMap((id) => [control(1, id), paragraph(3, "따로\r")]),
      control(1, "fn  "),
      paragraph(3, "각주\r"),
      paragraph(1, "다음\r"),
    ]);
    expect(hwpSectionText(records)).to.equal("본문\n\n각주\n\n다음");
  });

  it("reads records of any length", () => {
    const long = "가".repeat(5000);
    expect(hwpSectionText(paragraph(1, `${long}\r`))).to.equal(long);
  });

  it("refuses a record that is longer than what is left", () => {
    const whole = paragraph(1, "본문이 있다\r");
    for (const bytes of [whole.subarray(0, -2), record(TEXT, 1, Buffer.alloc(5000)).subarray(0, 6)]) {
      expect(() => hwpSectionText(bytes))
        .to.throw("longer than its section")
        .with.property("code", "INVALID_FILE");
    }
  });
});
