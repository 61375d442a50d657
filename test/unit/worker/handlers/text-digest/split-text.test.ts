import { expect } from "chai";
import { sentencesOf, wordsOf } from "#worker/handlers/text-digest/split-text.js";

describe("sentencesOf and wordsOf", () => {
  it("split by Unicode's rules", () => {
    expect(wordsOf("At-least-once, said Node.js: 3.5 times!", "en")).to.deep.equal([
      "At",
      "least",
      "once",
      "said",
      "Node.js",
      "3.5",
      "times",
    ]);
    expect(wordsOf("작업자는 큐에서 작업을 꺼낸다.", "ko")).to.deep.equal(["작업자는", "큐에서", "작업을", "꺼낸다"]);
    expect(sentencesOf("서울은 수도이다. 한강이 흐른다! 정말인가?", "ko")).to.deep.equal([
      "서울은 수도이다.",
      "한강이 흐른다!",
      "정말인가?",
    ]);
  });

  it("do not end an English sentence at an abbreviation or an initial", () => {
    const text = "Dr. Smith met Mr. J. Jones at noon. They spoke of e.g. Deno vs. Node.js.";
    expect(sentencesOf(text, "en")).to.deep.equal([
      "Dr. Smith met Mr. J. Jones at noon.",
      "They spoke of e.g. Deno vs. Node.js.",
    ]);
  });

  it("count long texts exactly, in time proportional to their length", () => {
    const sentence = "Ten words make this sentence, which repeats itself for ever. ";
    expect(wordsOf(sentence, "en")).to.have.lengthOf(10);
    const text = sentence.repeat(20_000);
    expect(wordsOf(text, "en")).to.have.lengthOf(200_000);
    expect(sentencesOf(text, "en")).to.have.lengthOf(20_000);
    expect(sentencesOf("word ".repeat(100_000), "en")).to.have.lengthOf(1);
    expect(wordsOf("word ".repeat(100_000), "en")).to.have.lengthOf(100_000);
    expect(wordsOf("😀".repeat(5000), "en").join("").isWellFormed()).to.equal(true);
  });
});
