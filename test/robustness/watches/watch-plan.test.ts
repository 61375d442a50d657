import { expect } from "chai";
import { parseFilter } from "#libs/tasks/filter/parse-filter.js";
import { unwatchableField } from "#libs/tasks/filter/unwatchable-field.js";
import { planWatchers } from "#test/robustness/watches/watch-plan.js";

const NOW_MS = Date.parse("2026-03-01T00:00:00Z");
const LEGS = 60;

const legsOf = (seed: number) =>
  planWatchers(seed, 60_000, NOW_MS).map(({ nextLeg, ...watcher }) => ({
    ...watcher,
    nextLeg: undefined,
    legs: Array.from({ length: LEGS }, nextLeg),
  }));

describe("The plan of the watchers of many tasks", () => {
  it("is the same for the same seed, and another for another", () => {
    expect(legsOf(7)).to.deep.equal(legsOf(7));
    expect(legsOf(7)).not.to.deep.equal(legsOf(8));
  });

  it("has only filters that can be watched", () => {
    for (const { filter } of legsOf(3)) {
      const parsed = parseFilter(filter);
      expect(parsed, filter).to.have.property("ok", true);
      if (parsed.ok && parsed.expression !== null) expect(unwatchableField(parsed.expression)).to.equal(undefined);
    }
  });

  it("begins legs wherever one may begin, whatever the seed", () => {
    for (let seed = 0; seed < 20; seed += 1) {
      const kinds = new Set(legsOf(seed).flatMap(({ legs }) => legs.map(({ start }) => start.kind)));
      expect([...kinds]).to.have.members(["snapshot", "now", "last", "ahead", "revision", "token", "snapshot token"]);
    }
  });
});
