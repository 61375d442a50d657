import { expect } from "chai";
import { rejectionOf } from "#test/support/rejection-of.js";
import { OfflineModel } from "#worker/language-model/offline-model.js";

const HARBOUR = `# Harbour

The harbour master closes the sluice before a storm tide arrives. Visitors like the fish market on Saturdays.
The lighthouse was painted white and red last summer. Storm tides rise when wind and moon pull together.`;
const KOREAN = "작업 큐는 작업을 순서대로 처리한다. 점심에는 비빔밥이 인기가 많다. 큐가 가득 차면 새 작업을 거절한다.";

describe("OfflineModel", () => {
  const model = new OfflineModel();
  const { signal } = new AbortController();

  it("quotes what fits the prompt, in the order of the material, and counts words", async () => {
    const { text, usage } = await model.complete(
      { prompt: "What happens at a storm tide?", material: [HARBOUR, KOREAN], maxTokens: 20 },
      { signal },
    );
    expect(text).to.equal(
      "The harbour master closes the sluice before a storm tide arrives. Storm tides rise when wind and moon pull together.",
    );
    expect(usage).to.deep.equal({ inputTokens: 58, outputTokens: 20 });
  });

  it("follows Korean questions through particles", async () => {
    const { text } = await model.complete({ prompt: "큐의 작업", material: [KOREAN], maxTokens: 6 }, { signal });
    expect(text).to.equal("작업 큐는 작업을 순서대로 처리한다.");
  });

  it("answers from the prompt when there is no material", async () => {
    const { text } = await model.complete({ prompt: HARBOUR, maxTokens: 11 }, { signal });
    expect(HARBOUR).to.include(text);
    expect(text).to.match(/\.$/);
  });

  it("gives an object when one is asked for", async () => {
    const { text } = await model.complete({ prompt: "storm tide", material: [HARBOUR], json: true }, { signal });
    expect(JSON.parse(text)).to.have.keys("summary", "sentences", "keyPhrases");
  });

  it("says nothing where there is nothing, and does not repeat itself", async () => {
    const empty = await model.complete({ prompt: "storm", material: ["", "***"] }, { signal });
    expect(empty.text).to.equal("");
    const twice = await model.complete({ prompt: "storm tide", material: [HARBOUR, HARBOUR] }, { signal });
    expect(twice.text.match(/closes the sluice/g)).to.have.lengthOf(1);
  });

  it("takes one long sentence rather than none, and at most eight of any", async () => {
    const one = await model.complete({ prompt: "tide", material: [HARBOUR], maxTokens: 1 }, { signal });
    expect(one.text.match(/[.!?]/g)).to.have.lengthOf(1);
    const colours = ["red", "green", "blue", "white", "black", "brown", "grey", "pink", "violet", "orange"];
    const many = colours
      .map((colour, index) => `The ${colour} ship number ${index} carries ${colour} stones.`)
      .join(" ");
    const eight = await model.complete({ prompt: "ships", material: [many] }, { signal });
    expect(eight.text.match(/\./g)).to.have.lengthOf(8);
  });

  it("stops with the reason of its signal", async () => {
    const reason = new Error("cancelled in the test");
    expect(
      await rejectionOf(model.complete({ prompt: "x", material: [HARBOUR] }, { signal: AbortSignal.abort(reason) })),
    ).to.equal(reason);
  });
});
