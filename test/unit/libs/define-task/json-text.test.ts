import { expect } from "chai";
import fc from "fast-check";
import { jsonText } from "#libs/define-task/json-text.js";

describe("jsonText", () => {
  it("replaces lone surrogates in keys and values, and nothing else", () => {
    expect(jsonText({ "a\ud800": ["\udc00b", "😀", "\\ud800", "\\\ud800"] })).to.equal(
      JSON.stringify({ "a\ufffd": ["\ufffdb", "😀", "\\ud800", "\\\ufffd"] }),
    );
  });

  it("says what JSON.stringify says of texts that can be sent, and can always be sent", () => {
    const unit = fc.oneof(fc.constantFrom("\\", "u", "d", "8", "\ud83d", "\ude00", "\ud800"), fc.string());
    fc.assert(
      fc.property(fc.array(unit), (units) => {
        const text = units.join("");
        const read: unknown = JSON.parse(jsonText(text) ?? "");
        expect(read).to.equal(text.toWellFormed());
      }),
      { numRuns: 1000 },
    );
  });

  it("is undefined where there is no JSON", () => {
    expect(jsonText(undefined)).to.equal(undefined);
  });
});
