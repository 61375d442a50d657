import { expect } from "chai";
import { reportText } from "#test/robustness/report-text.js";
import { runFolder } from "#test/robustness/run-folder.js";
import { runRobustness, type RunReport } from "#test/robustness/run-robustness.js";
import { makeSchedule } from "#test/robustness/schedule.js";

/** Its faults are the most varied that any of 300 seeds has in so short a time: each kind at least once. */
const SEED = 20_261_255;
const DURATION_MS = 28_000;

describe("A short robustness run (every promise under faults; `make robustness` has the long form)", function () {
  this.timeout(300_000);
  let report: RunReport;
  const folder = runFolder(SEED);

  before(async () => {
    const schedule = makeSchedule({ seed: SEED, durationMs: DURATION_MS, operationsPerSecond: 5 });
    report = await runRobustness(schedule, { folder: folder.path });
  });
  after(() => {
    if (report?.verdicts.every(({ held }) => held) === true) folder.remove();
  });

  it("did harm and had work", () => {
    const { counts, faults } = report;
    expect(counts.tasks).to.be.greaterThan(40);
    expect(counts.restarts).to.be.greaterThan(2);
    expect([...faults.keys()]).to.include.members(["kill", "stop", "wipe", "swallow", "cut", "refuse"]);
  });

  it("broke no promise", () => {
    const broken = report.verdicts.filter(({ held }) => !held);
    expect(broken, `${reportText(report)}\nthe history is in ${folder.path}\n`).to.deep.equal([]);
    for (const { promise, checked } of report.verdicts) expect(checked, promise).to.be.greaterThan(0);
  });
});
