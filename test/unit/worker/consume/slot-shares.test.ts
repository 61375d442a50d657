import { expect } from "chai";
import fc from "fast-check";
import { slotShares } from "#worker/consume/slot-shares.js";

const quiet = (outstanding: number) => ({ outstanding, isLively: false });
const lively = (outstanding: number) => ({ outstanding, isLively: true });

describe("slotShares", () => {
  it("asks a single queue for exactly the free slots", () => {
    expect(slotShares(8, [lively(3)])).to.deep.equal([5]);
    expect(slotShares(8, [lively(8)])).to.deep.equal([0]);
    expect(slotShares(0, [lively(0)])).to.deep.equal([0]);
  });

  it("shares free slots evenly among quiet queues", () => {
    expect(slotShares(5, [quiet(0), quiet(0)])).to.deep.equal([3, 2]);
  });

  it("prefers queues that delivered lately", () => {
    expect(slotShares(6, [quiet(2), lively(0)])).to.deep.equal([0, 4]);
  });

  it("never leaves a queue without a request while a slot is free", () => {
    expect(slotShares(4, [quiet(4), lively(0)])).to.deep.equal([0, 1]);
  });

  it("asks for at most the free slots plus one per queue in all", () => {
    const demand = fc.record({ outstanding: fc.nat(20), isLively: fc.boolean() });
    fc.assert(
      fc.property(fc.nat(50), fc.array(demand, { minLength: 1, maxLength: 8 }), (free, queues) => {
        const before = queues.reduce((sum, { outstanding }) => sum + outstanding, 0);
        const shares = slotShares(free, queues);
        const asked = shares.reduce((sum, share) => sum + share, 0);
        expect(Math.min(...shares)).to.be.at.least(0);
        expect(before + asked).to.be.at.most(Math.max(before, free) + queues.length);
        if (before < free) expect(before + asked).to.be.at.least(free);
      }),
    );
  });
});
