import { expect } from "chai";
import fc from "fast-check";
import { chunkText } from "#worker/documents/chunk-text.js";

describe("chunkText", () => {
  const texts = (text: string, maxCharacters: number, overlapCharacters = 0, language?: string) =>
    chunkText(text, { maxCharacters, overlapCharacters, ...(language === undefined ? {} : { language }) }).map(
      (chunk) => chunk.text,
    );

  it("ends chunks with sentences, and begins them with the first sentence of the overlap", () => {
    const text = "One is here. Two is here. Three is here. Four is here.";
    expect(texts(text, 30)).to.deep.equal(["One is here. Two is here. ", "Three is here. Four is here."]);
    expect(texts(text, 30, 15)).to.deep.equal([
      "One is here. Two is here. ",
      "Two is here. Three is here. ",
      "Three is here. Four is here.",
    ]);
  });

  it("knows the ends of Korean sentences", () => {
    expect(texts("항구는 여섯 시에 열립니다. 배는 무선으로 알립니다. 바람이 강합니다.", 32, 0, "ko")).to.deep.equal([
      "항구는 여섯 시에 열립니다. 배는 무선으로 알립니다. ",
      "바람이 강합니다.",
    ]);
  });

  it("takes a single line break for a space within a sentence, and an empty line for an end", () => {
    expect(texts("A sentence that\nis wrapped once. Another one.", 40)[0]).to.equal(
      "A sentence that\nis wrapped once. ",
    );
    expect(texts("First one.\n \nSecond one.", 15)).to.deep.equal(["First one.\n \n", "Second one."]);
    expect(texts("A heading\n\nA long paragraph without end", 30)[0]).to.equal("A heading\n\n");
  });

  it("falls back to lines, words, graphemes and code points, in this order", () => {
    expect(texts("first item\nsecond item\nthird item", 25)).to.deep.equal(["first item\nsecond item\n", "third item"]);
    expect(texts("wordone wordtwo wordthree", 18)).to.deep.equal(["wordone wordtwo ", "wordthree"]);
    expect(texts("👩‍👩‍👧👩‍👩‍👧👩‍👩‍👧", 17)).to.deep.equal(["👩‍👩‍👧👩‍👩‍👧", "👩‍👩‍👧"]);
    expect(texts("👩‍👩‍👧", 4)).to.deep.equal(["👩\u200d", "👩\u200d", "👧"]);
  });

  it("gives one chunk for what fits and none for nothing", () => {
    expect(chunkText("All of it.", { maxCharacters: 10, overlapCharacters: 5 })).to.deep.equal([
      { index: 0, start: 0, end: 10, text: "All of it." },
    ]);
    expect(texts("", 10)).to.deep.equal([]);
  });

  it("refuses limits that do not fit", () => {
    for (const [maxCharacters, overlapCharacters] of [
      [1, 0],
      [10, 10],
      [10, -1],
      [10.5, 0],
      [10, Number.NaN],
    ] as const) {
      expect(() => chunkText("text", { maxCharacters, overlapCharacters })).to.throw(RangeError);
    }
  });

  const unit = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.constantFrom("a", "b ", ". ", "? ", "\n", "\r\n", "\n\n", "다. ", "한국", "e\u0301", "🇰🇷", "👩‍👩‍👧"),
    },
    { weight: 1, arbitrary: fc.string({ unit: "grapheme", maxLength: 3 }) },
    { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 3 }) },
  );
  const text = fc.array(unit, { maxLength: 300 }).map((parts) => parts.join(""));
  const limits = fc
    .integer({ min: 2, max: 80 })
    .chain((max) =>
      fc.record({ maxCharacters: fc.constant(max), overlapCharacters: fc.integer({ min: 0, max: max - 1 }) }),
    );

  it("covers any text in order, within its limits, with overlaps as said (property)", () => {
    fc.assert(
      fc.property(text, limits, (whole, options) => {
        const chunks = chunkText(whole, options);
        let covered = 0;
        let began = -1;
        for (const [index, chunk] of chunks.entries()) {
          expect(chunk.index).to.equal(index);
          expect(chunk.text).to.equal(whole.slice(chunk.start, chunk.end));
          expect(chunk.text.length).to.be.within(1, options.maxCharacters);
          expect(chunk.start).to.be.within(Math.max(0, covered - options.overlapCharacters), covered);
          expect(chunk.start).to.be.above(began);
          expect(chunk.end).to.be.above(covered);
          began = chunk.start;
          covered = chunk.end;
        }
        expect(covered).to.equal(whole.length);
      }),
      { numRuns: 400 },
    );
  });

  it("never cuts within a grapheme that fits into a chunk, nor within a surrogate pair (property)", () => {
    const graphemes = new Intl.Segmenter("und", { granularity: "grapheme" });
    fc.assert(
      fc.property(text, limits, (whole, options) => {
        const segments = [...graphemes.segment(whole)];
        const boundaries = new Set([...segments.map(({ index }) => index), whole.length]);
        const longest = Math.max(0, ...segments.map(({ segment }) => segment.length));
        for (const { start, end } of chunkText(whole, options)) {
          for (const cut of [start, end]) {
            if (longest <= options.maxCharacters) expect(boundaries.has(cut), `cut at ${cut}`).to.equal(true);
            const pair = /[\uD800-\uDBFF][\uDC00-\uDFFF]/.test(whole.slice(Math.max(0, cut - 1), cut + 1));
            expect(cut > 0 && pair, `pair at ${cut}`).to.equal(false);
          }
        }
      }),
      { numRuns: 400 },
    );
  });
});
