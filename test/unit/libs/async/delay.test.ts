import { expect } from "chai";
import fc from "fast-check";
import { delay, jitteredBackoffMs } from "#libs/async/delay.js";
import { rejectionOf } from "#test/support/rejection-of.js";

describe("delay", () => {
  it("resolves after its time", async () => {
    await delay(1);
  });

  it("rejects with the signal's reason when that fires first", async () => {
    const abort = new AbortController();
    const waiting = delay(3_600_000, abort.signal);
    const reason = new Error("enough");
    abort.abort(reason);
    expect(await rejectionOf(waiting)).to.equal(reason);
  });

  it("rejects at once when the signal has fired already", async () => {
    const reason = new Error("too late");
    expect(await rejectionOf(delay(3_600_000, AbortSignal.abort(reason)))).to.equal(reason);
  });
});

describe("jitteredBackoffMs", () => {
  it("stays between 0 and the doubled initial wait, and below the maximum", () => {
    fc.assert(
      fc.property(
        fc.nat(100),
        fc.integer({ min: 1, max: 10_000 }),
        fc.integer({ min: 1, max: 100_000 }),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (round, initialMs, maximumMs, chance) => {
          const wait = jitteredBackoffMs(round, initialMs, maximumMs, () => chance);
          expect(wait).to.be.at.least(0);
          expect(wait).to.be.at.most(Math.min(maximumMs, initialMs * 2 ** round));
        },
      ),
    );
  });

  it("uses the whole range", () => {
    expect(jitteredBackoffMs(3, 100, 10_000, () => 0)).to.equal(0);
    expect(jitteredBackoffMs(3, 100, 10_000, () => 1)).to.equal(800);
  });
});
