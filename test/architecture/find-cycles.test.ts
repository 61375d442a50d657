import { expect } from "chai";
import { findCycles } from "#test/architecture/find-cycles.js";

describe("findCycles", () => {
  it("finds nothing in a graph whose paths meet but never return", () => {
    const graph = new Map([
      ["a", ["b", "c"]],
      ["b", ["d"]],
      ["c", ["d"]],
      ["d", ["outside"]],
    ]);
    expect(findCycles(graph)).to.deep.equal([]);
  });

  it("names the way round of a cycle, without what leads to it", () => {
    const graph = new Map([
      ["a", ["b"]],
      ["b", ["c"]],
      ["c", ["b"]],
    ]);
    expect(findCycles(graph)).to.deep.equal([["b", "c", "b"]]);
  });

  it("finds a file that imports itself", () => {
    expect(findCycles(new Map([["a", ["a"]]]))).to.deep.equal([["a", "a"]]);
  });
});
