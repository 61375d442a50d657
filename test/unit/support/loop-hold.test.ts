import { setImmediate } from "node:timers/promises";
import { expect } from "chai";
import { LoopHold } from "#test/support/loop-hold.js";

const HELD_MS = 40;
const LIMIT_MS = HELD_MS / 2;

describe("LoopHold", () => {
  const hold = new LoopHold(LIMIT_MS);
  afterEach(() => hold.end());

  it("tells how long a turn computed", async () => {
    hold.begin();
    await setImmediate();
    const begun = process.cpuUsage();
    let computedMs = 0;
    while (computedMs < HELD_MS) {
      const { user, system } = process.cpuUsage(begun);
      computedMs = (user + system) / 1000;
    }
    await setImmediate();
    const { longestComputedMs, longTurns } = hold.end();
    // Other threads of this process have their part in it.
    expect(longestComputedMs).to.be.above(LIMIT_MS);
    expect(longTurns).to.be.at.least(1);
  });

  it("counts a synchronous call as a long turn, not as computing", async function () {
    // Only there can it be told from the wait for a core.
    if (process.platform !== "linux") this.skip();
    hold.begin();
    await setImmediate();
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, HELD_MS);
    await setImmediate();
    const { longestComputedMs, longTurns } = hold.end();
    expect(longestComputedMs).to.be.below(LIMIT_MS);
    expect(longTurns).to.be.at.least(1);
  });

  it("begins anew", () => {
    hold.begin();
    expect(hold.end().longTurns).to.equal(0);
  });
});
