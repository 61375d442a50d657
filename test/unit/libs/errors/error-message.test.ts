import { expect } from "chai";
import fc from "fast-check";
import { cutText, errorMessage } from "#libs/errors/error-message.js";

describe("errorMessage", () => {
  it("reads anything thrown", () => {
    expect(errorMessage(new TypeError("broken"))).to.equal("broken");
    expect(errorMessage("plain")).to.equal("plain");
    expect([undefined, null, 7].map(errorMessage)).to.deep.equal(["undefined", "null", "7"]);
  });
});

describe("cutText", () => {
  it("never exceeds the bound, never splits a character, and marks the cut", () => {
    const anyText = fc.string({ unit: "binary", maxLength: 40 });
    fc.assert(
      fc.property(anyText, fc.integer({ min: 2, max: 30 }), (text, most) => {
        const cut = cutText(text, most);
        expect(cut.length).to.be.at.most(most);
        expect(cut.isWellFormed()).to.equal(true);
        if (text.length <= most) expect(cut).to.equal(text.toWellFormed());
        else expect(cut.endsWith("…")).to.equal(true);
      }),
    );
  });

  it("replaces lone surrogates, so that the text can be sent", () => {
    expect(cutText("a\ud800b", 10)).to.equal("a\ufffdb");
    expect(cutText("a😀b", 3)).to.equal("a…");
  });
});
