import { expect } from "chai";
import { harmlessLine, harmlessText } from "#cli/output/harmless-text.js";

describe("harmlessText", () => {
  it("writes out control characters and what turns the direction of writing", () => {
    expect(harmlessText("\u001b[2Jgone\u0007 \u009b1A \u007f \u0000")).to.equal(
      "\\x1b[2Jgone\\x07 \\x9b1A \\x7f \\x00",
    );
    expect(harmlessText("\u202eabc\u2066")).to.equal("\\u202eabc\\u2066");
  });

  it("keeps tabs, line breaks and every other character", () => {
    const text = "a\tb\nc\r\nd é 한국어 👩‍💻 \u200f";
    expect(harmlessText(text)).to.equal(text);
  });

  it("writes out a carriage return that would write over its line", () => {
    expect(harmlessText("denied\rallowed\n")).to.equal("denied\\x0dallowed\n");
  });
});

describe("harmlessLine", () => {
  it("writes out line breaks as well", () => {
    expect(harmlessLine("a\nb\r\nc\td\u001b")).to.equal("a\\nb\\nc\td\\x1b");
  });
});
