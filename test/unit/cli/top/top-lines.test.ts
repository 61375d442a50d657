import { stripVTControlCharacters } from "node:util";
import { expect } from "chai";
import type { Load } from "#cli/top/load-meter.js";
import { topLines } from "#cli/top/top-lines.js";
import type { TopView, WorkerLoad } from "#cli/top/top-view.js";

const time = new Date("2026-03-01T08:00:00Z");
const load: Load = {
  pending: 1200,
  running: 3,
  createdPerSecond: { interval: 12.34, minute: 1234.5 },
  finishedPerSecond: { interval: null, minute: 0 },
  failed: 2,
  waitMs: { p50: 20, p99: 1500, samples: 9 },
  runMs: { p50: null, p99: null, samples: 0 },
};
const worker: WorkerLoad = {
  id: "W",
  hostname: "host\u001b[2J",
  pid: 7,
  running: 1,
  slots: 2,
  draining: true,
  lastSeenTime: new Date(time.getTime() - 500),
};
const view: TopView = {
  time,
  sinceTime: time,
  revision: 77,
  isCounted: true,
  queues: [{ queue: "default", ...load }],
  totals: load,
  workers: [worker],
  workersTime: time,
};
const linesOf = (shown: TopView, height = 24) =>
  topLines(shown, height).map((line) => stripVTControlCharacters(line).replaceAll(/ +/g, " "));

describe("topLines", () => {
  it("shows queues, totals and workers", () => {
    const cells = "1,200 3 12.3 1,235 – 0.0 2 20 ms 1.5 s – –";
    expect(linesOf(view).slice(2)).to.deep.equal([
      "QUEUE PENDING RUNNING CREATED/s 1 min FINISHED/s 1 min FAILED WAIT p50 p99 RUN p50 p99",
      `default ${cells}`,
      `all ${cells}`,
      "",
      "WORKER PROCESS BUSY LAST SEEN",
      "W host\\x1b[2J:7 1/2 500 ms ago draining",
    ]);
    expect(linesOf(view)[0]).to.match(/^revision 77 since \d\d:\d\d:\d\d$/);
    expect(linesOf(view)[1]).to.include("of events seen since");
  });

  it("says what is not there", () => {
    expect(linesOf({ ...view, isCounted: false })[0]).to.include("counting open tasks");
    expect(linesOf({ ...view, workers: [] }).at(-1)).to.include("no workers");
    const silent = { ...view, workersTime: new Date(time.getTime() - 10_000) };
    expect(linesOf(silent).at(-1)).to.equal("the service has not answered for 10.0 s");
  });

  it("fits the height, and says how many more queues and workers there are", () => {
    const queues = Array.from({ length: 10 }, (_, index) => ({ queue: `q${index}`, ...load }));
    const workers = Array.from({ length: 10 }, (_, index) => ({ ...worker, id: `W${index}` }));
    const lines = linesOf({ ...view, queues, workers }, 14);
    expect(lines).to.have.length(14);
    expect(lines.filter((line) => /^q\d/.test(line))).to.have.length(3);
    expect(lines.filter((line) => line.startsWith("…"))).to.deep.equal(["… 7 more", "… 7 more"]);
    expect(linesOf({ ...view, workers }, 14).filter((line) => line.startsWith("W"))).to.have.length(1 + 6);
  });
});
