import { expect } from "chai";
import { Distribution } from "#libs/metrics/distribution.js";
import { MetricSet, single } from "#libs/metrics/metric-set.js";

const linesOf = async (metrics: MetricSet) =>
  (await metrics.text()).split("\n").filter((line) => line !== "" && !line.startsWith("#"));

describe("A set of metrics", () => {
  it("reads every value when it is asked for, and at no other time", async () => {
    const metrics = new MetricSet();
    let reads = 0;
    metrics.counter({ name: "things_total", help: "Things." }, () => single((reads += 1)));
    expect(reads).to.equal(0);
    expect(await linesOf(metrics)).to.deep.equal(["things_total 1"]);
    expect(await linesOf(metrics)).to.deep.equal(["things_total 2"]);
  });

  it("shows what is there now: series that are gone are gone", async () => {
    const metrics = new MetricSet();
    let queues = ["a", "b"];
    metrics.gauge({ name: "open", help: "Open.", labels: ["queue"] }, () =>
      queues.map((queue) => ({ labels: { queue }, value: 3 })),
    );
    expect(await linesOf(metrics)).to.deep.equal(['open{queue="a"} 3', 'open{queue="b"} 3']);
    queues = ["b"];
    expect(await linesOf(metrics)).to.deep.equal(['open{queue="b"} 3']);
  });

  it("writes distributions as cumulative buckets with their sum and count", async () => {
    const metrics = new MetricSet();
    const sizes = new Distribution([1, 10]);
    metrics.histogram({ name: "size", help: "Sizes.", labels: ["kind"] }, sizes.bounds, () => [
      { labels: { kind: "x" }, value: sizes },
    ]);
    for (const value of [0.5, 1, 7, 10, 11]) sizes.observe(value);
    expect(await metrics.text()).to.include("# TYPE size histogram");
    expect(await linesOf(metrics)).to.deep.equal([
      'size_bucket{kind="x",le="1"} 2',
      'size_bucket{kind="x",le="10"} 4',
      'size_bucket{kind="x",le="+Inf"} 5',
      'size_sum{kind="x"} 29.5',
      'size_count{kind="x"} 5',
    ]);
  });

  it("escapes what labels may hold", async () => {
    const metrics = new MetricSet();
    metrics.gauge({ name: "odd", help: "Odd.", labels: ["name"] }, () => [{ labels: { name: 'a"b\\c\n' }, value: 1 }]);
    expect(await linesOf(metrics)).to.deep.equal([String.raw`odd{name="a\"b\\c\n"} 1`]);
  });

  it("knows the process, the delay of its event loop above all", async () => {
    const metrics = new MetricSet();
    metrics.addProcessMetrics();
    const names = (await linesOf(metrics)).map((line) => line.split(/[{ ]/)[0]);
    for (const rank of ["p50", "p99", "max"]) expect(names).to.include(`nodejs_eventloop_lag_${rank}_seconds`);
    expect(names).to.include.members(["process_cpu_seconds_total", "process_resident_memory_bytes"]);
  });
});
