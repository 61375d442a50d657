import { expect } from "chai";
import { passagesOf } from "#worker/handlers/research-run/passages.js";
import { rankTexts } from "#worker/handlers/research-run/rank-texts.js";
import { queryTerms } from "#worker/handlers/research-run/search-terms.js";
import { rejectionOf } from "#test/support/rejection-of.js";

describe("the search of research.run", () => {
  const { signal } = new AbortController();
  const text = (words: string, title = "") => ({ title, pieces: [words] });

  it("meets other forms of a word, English by stems and Korean by what the particles stand behind", async () => {
    expect(await queryTerms("How does it retry the queues?")).to.deep.equal(["retri", "queue"]);
    expect(await queryTerms("작업을 다시 시도하는 queues")).to.include.members(["작업", "시도", "queue"]);
    expect(await queryTerms("why?")).to.deep.equal(["why"]);
    const texts = [text("Retries of a queue."), text("No such thing."), text("작업이 큐에서 기다린다.")];
    const found = async (query: string) =>
      (await rankTexts(await queryTerms(query), texts, signal)).map(({ index }) => index);
    expect(await found("retry queues")).to.deep.equal([0]);
    expect(await found("작업은 어디서 기다리나")).to.deep.equal([2]);
    expect(await found("zeppelin")).to.deep.equal([]);
  });

  it("ranks a title above a text, and equals in their order", async () => {
    const texts = [text("moon and sea"), text("moon and sea"), text("sea and wind", "moon")];
    expect((await rankTexts(["moon"], texts, signal)).map(({ index }) => index)).to.deep.equal([2, 0, 1]);
  });

  it("stops when its signal has fired", async () => {
    const reason = new Error("cancelled in the test");
    expect(await rejectionOf(rankTexts(["a"], [text("a")], AbortSignal.abort(reason)))).to.equal(reason);
  });

  it("cuts documents into passages under their headings, long blocks between sentences", () => {
    const block = (words: string, kind: "paragraph" | "heading" = "paragraph") => ({ kind, text: words, depth: 2 });
    const long = "A sentence of fifty characters, no more and no less. ".repeat(50).trim();
    const passages = passagesOf([
      block("One", "heading"),
      block("a."),
      block("b."),
      block("Empty", "heading"),
      block("Two", "heading"),
      block(long),
    ]);
    expect(passages.slice(0, 1)).to.deep.equal(["### One\n\na.\n\nb."]);
    expect(passages).to.have.lengthOf(4);
    for (const passage of passages.slice(1)) expect(passage).to.match(/^### Two\n\nA sentence .*less\.$/);
    expect(Math.max(...passages.map(({ length }) => length))).to.be.lessThan(1100);
  });
});
