import { expect } from "chai";
import { SampleWindow } from "#cli/top/sample-window.js";

describe("SampleWindow", () => {
  it("knows nothing without samples", () => {
    expect(new SampleWindow().spread()).to.deep.equal({ p50: null, p99: null, samples: 0 });
  });

  it("tells quantiles by nearest rank, in whatever order samples came", () => {
    const window = new SampleWindow();
    for (const sample of [30, 10, 20]) window.add(sample);
    expect(window.spread()).to.deep.equal({ p50: 20, p99: 30, samples: 3 });
    const hundred = new SampleWindow();
    for (let sample = 100; sample >= 1; sample -= 1) hundred.add(sample);
    expect(hundred.spread()).to.deep.equal({ p50: 50, p99: 99, samples: 100 });
  });

  it("forgets the oldest beyond its capacity, and tells news after it was asked", () => {
    const window = new SampleWindow(3);
    for (const sample of [1, 2, 3]) window.add(sample);
    expect(window.spread().p50).to.equal(2);
    for (const sample of [10, 11]) window.add(sample);
    expect(window.spread()).to.deep.equal({ p50: 10, p99: 11, samples: 3 });
  });
});
