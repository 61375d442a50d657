import { expect } from "chai";
import { RateMeter } from "#cli/top/rate-meter.js";

function count(meter: RateMeter, times: number): void {
  for (let time = 0; time < times; time += 1) meter.count();
}

describe("RateMeter", () => {
  it("has no rate before its second mark", () => {
    const meter = new RateMeter();
    count(meter, 5);
    expect(meter.mark(1000)).to.deep.equal({ interval: null, minute: null });
  });

  it("tells the rate between the two latest marks, and that of all while they are younger than a minute", () => {
    const meter = new RateMeter();
    meter.mark(0);
    count(meter, 10);
    expect(meter.mark(2000)).to.deep.equal({ interval: 5, minute: 5 });
    expect(meter.mark(4000)).to.deep.equal({ interval: 0, minute: 2.5 });
  });

  it("forgets what is older than a minute", () => {
    const meter = new RateMeter();
    meter.mark(0);
    count(meter, 600);
    for (let second = 1; second <= 60; second += 1) meter.mark(second * 1000);
    expect(meter.mark(60_500).minute).to.be.closeTo(600 / 60.5, 1e-9);
    expect(meter.mark(61_000)).to.deep.equal({ interval: 0, minute: 0 });
    count(meter, 30);
    expect(meter.mark(62_000)).to.deep.equal({ interval: 30, minute: 0.5 });
  });

  it("has counted nothing before it began beside another one", () => {
    const all = new RateMeter();
    all.mark(0);
    all.mark(1000);
    const late = new RateMeter(all);
    count(late, 4);
    expect(late.mark(2000)).to.deep.equal({ interval: 4, minute: 2 });
    expect(all.mark(2000)).to.deep.equal({ interval: 0, minute: 0 });
  });
});
