import { expect } from "chai";
import { rankNodes } from "#worker/handlers/text-digest/rank-nodes.js";

describe("rankNodes", () => {
  it("gives 1 to every node of a ring", () => {
    const ring = [0, 1, 2, 3].map(
      (node) =>
        new Map([
          [(node + 1) % 4, 1],
          [(node + 3) % 4, 1],
        ]),
    );
    for (const score of rankNodes(ring)) expect(score).to.be.closeTo(1, 0.001);
  });

  it("ranks the hub of a star by the fixed point of the TextRank equation", () => {
    // hub = 0.15 + 0.85 · 3 · leaf, leaf = 0.15 + 0.85 · hub / 3  ⇒  hub = 0.5325 / 0.2775
    const star = [
      new Map([
        [1, 1],
        [2, 1],
        [3, 1],
      ]),
      new Map([[0, 1]]),
      new Map([[0, 1]]),
      new Map([[0, 1]]),
    ];
    const [hub, ...leaves] = rankNodes(star);
    expect(hub).to.be.closeTo(0.5325 / 0.2775, 0.001);
    for (const leaf of leaves) expect(leaf).to.be.closeTo(0.15 + (0.85 * 0.5325) / 0.2775 / 3, 0.001);
  });

  it("gives the least score to a node without neighbours", () => {
    expect(rankNodes([new Map()])).to.deep.equal([1 - 0.85]);
    expect(rankNodes([])).to.deep.equal([]);
  });
});
