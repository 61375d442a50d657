import { expect } from "chai";
import { silentLogger } from "#libs/log/logger.js";
import { DispatchTask } from "#libs/proto/gen/taskwire/bus/v1/dispatch.js";
import { KeyRing, NO_KEYS } from "#libs/sealing/key-ring.js";
import { AttemptReports } from "#worker/execute/attempt-reports.js";
import type { AttemptEnd } from "#worker/execute/attempt-end.js";
import { DeadlineWatch } from "#worker/execute/deadline-watch.js";
import { RunningAttempt } from "#worker/execute/running-attempt.js";
import type { Isolate } from "#worker/isolate/isolate.js";
import { ReportGatherer } from "#worker/report/report-gatherer.js";
import { until } from "#test/support/until.js";

const ISOLATE_START_MS = 60_000;
const LIMITS = { softTimeoutMs: Infinity, hardTimeoutMs: 3_600_000, memoryBytes: 1 };
const SPEECH = { progressIntervalMs: 20, logLines: 50, logBytes: 10_000, outputBytes: 5000 };

function attemptThatGetsNoIsolate(deadlines: DeadlineWatch, ends: AttemptEnd[]): RunningAttempt {
  const gatherer = new ReportGatherer({
    workerId: "w1",
    publish: () => Promise.resolve(),
    ring: new KeyRing(NO_KEYS),
    crowdedBytes: 1_000_000,
    onRoom: () => undefined,
    logger: silentLogger(),
    lanes: 1,
  });
  const dispatch = DispatchTask.create({ taskId: "t", attempt: 1, type: "test.any" });
  return new RunningAttempt(dispatch, new AttemptReports("t", 1, gatherer), LIMITS, {
    deadlines,
    speech: SPEECH,
    graceMs: 1000,
    acquire: () => new Promise<Isolate>(() => undefined),
    giveBack: () => undefined,
    onEnded: (_, end) => ends.push(end),
  });
}

describe("RunningAttempt", () => {
  it("waits for an isolate as long as any other when it is a suspect that begins long after it was made", async () => {
    const deadlines = new DeadlineWatch();
    const ends: AttemptEnd[] = [];
    const attempt = attemptThatGetsNoIsolate(deadlines, ends);
    await until("it waited for the word that its start is stored", () => performance.now() > attempt.startedAtMs + 50);
    const begunAtMs = performance.now();
    attempt.start(1);
    expect(attempt.deadlineMs).to.be.within(begunAtMs + ISOLATE_START_MS, performance.now() + ISOLATE_START_MS);
    attempt.onDeadline();
    expect(ends).to.deep.equal([]);
    attempt.releaseNow();
    expect(ends).to.have.length(1);
    deadlines.close();
  });
});
