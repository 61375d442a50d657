import { expect } from "chai";
import { Pace } from "#libs/async/pace.js";

describe("Pace", () => {
  it("lets much work through, and others between", async () => {
    const pace = new Pace();
    let turns = 0;
    let isDone = false;
    const count = () => {
      turns += 1;
      if (!isDone) setImmediate(count);
    };
    count();
    const work = async () => {
      for (let step = 0; step < 40; step += 1) {
        for (let pause = pace.pause; pause !== undefined; pause = pace.pause) await pause;
        const endMs = performance.now() + 1;
        while (performance.now() < endMs);
      }
    };
    await Promise.all([work(), work(), work()]);
    isDone = true;
    // 120 ms of work in slices of 5 ms, each with one step more at most.
    expect(turns).to.be.at.least(15);
  });
});
