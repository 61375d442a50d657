import { expect } from "chai";
import { citedNumbers, citeQuotes, renumberCitations } from "#worker/handlers/research-run/citations.js";

describe("citations", () => {
  it("are found, each once, in order", () => {
    expect(citedNumbers("B [2], again [2] and A [1]; not [x], [ 3 ] or [1234].")).to.deep.equal([1, 2]);
  });

  it("get the numbers of the sources; foreign ones go", () => {
    expect(renumberCitations("A [1], B [2][3], C [0] and [4].", [5, 1, 12])).to.equal("A [5], B [1][12], C and.");
  });

  it("are added to paragraphs that stand in a source word for word, and to no other", () => {
    const texts = [
      { number: 1, text: "The moon\npulls. The sea rises." },
      { number: 3, text: "달의 중력은 바닷물을 끌어당긴다. 밀물이 생긴다." },
    ];
    const text =
      "The sea rises.\n\nThe moon pulls. The sea rises.\n\nMine alone.\n\n밀물이 생긴다.\n\nThe moon pulls. [9]";
    expect(citeQuotes(text, texts)).to.equal(
      "The sea rises. [1]\n\nThe moon pulls. The sea rises. [1]\n\nMine alone.\n\n밀물이 생긴다. [3]\n\nThe moon pulls. [9]",
    );
  });
});
