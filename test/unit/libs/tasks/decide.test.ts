import { expect } from "chai";
import type { ClaimKind } from "#libs/tasks/claim.js";
import { requestCancel } from "#libs/tasks/decide.js";
import { expireLease } from "#libs/tasks/upkeep-decisions.js";
import { CancelPhase } from "#libs/tasks/event-fact.js";
import { TaskState } from "#libs/tasks/task-state.js";
import { failed, Life, RELEASED, SUCCEEDED } from "#test/unit/libs/tasks/task-life.js";

describe("applyClaim", () => {
  it("starts a pending task and completes it", () => {
    const life = new Life();
    expect(life.starts()).to.equal("applied");
    expect(life.task).to.include({ state: TaskState.RUNNING, attempt: 1, workerId: "w", startTimeMs: 1000 });
    expect(life.says(SUCCEEDED)).to.equal("applied");
    expect(life.task).to.include({ state: TaskState.COMPLETED, resultJson: '{"a":1}', error: null, endTimeMs: 1000 });
    expect(life.kinds()).to.deep.equal(["started", "completed"]);
  });

  it("begins an attempt whose started report was lost", () => {
    const life = new Life();
    expect(life.says(SUCCEEDED, { attempt: 1, number: 2 })).to.equal("applied");
    expect(life.kinds()).to.deep.equal(["started", "completed"]);
  });

  it("retries a retryable failure after the policy's delay, or the one the handler asked for", () => {
    const life = new Life({ initialDelayMs: 200 });
    life.starts();
    life.says(failed(true));
    expect(life.task).to.include({ state: TaskState.PENDING, runTimeMs: 1100 });
    life.starts();
    life.says(failed(true, 7));
    expect(life.task.runTimeMs).to.equal(1007);
  });

  it("fails at once on a permanent error, and when no attempt is left", () => {
    const permanent = new Life();
    permanent.starts();
    permanent.says(failed(false));
    expect(permanent.task.state).to.equal(TaskState.FAILED);
    const exhausted = new Life({ maxAttempts: 1 });
    exhausted.starts();
    exhausted.says(failed(true));
    expect(exhausted.task.state).to.equal(TaskState.FAILED);
    expect(exhausted.task.error?.retryable).to.equal(true);
  });

  it("takes attempts and retry settings from the task, then the handler, then the defaults", () => {
    const handler = { maxAttempts: 7, initialDelayMs: 5, maximumDelayMs: 50, multiplier: 3 };
    const silent = new Life({ maxAttempts: 0 });
    silent.says({ $case: "started", value: { ...handler, retryableCodes: [], permanentCodes: [] } }, { attempt: 1 });
    expect(silent.task).to.include(handler);
    const told = new Life({ maxAttempts: 2, initialDelayMs: 0, maximumDelayMs: 1, multiplier: 2 });
    told.says({ $case: "started", value: { ...handler, retryableCodes: [], permanentCodes: [] } }, { attempt: 1 });
    expect(told.task).to.include({ maxAttempts: 2, initialDelayMs: 0, maximumDelayMs: 1, multiplier: 2 });
    const nobody = new Life({ maxAttempts: 0 });
    nobody.starts();
    expect(nobody.task.maxAttempts).to.equal(3);
  });

  it("does not count a released attempt", () => {
    const life = new Life({ maxAttempts: 1 });
    life.starts();
    life.says(RELEASED);
    expect(life.task).to.include({ state: TaskState.PENDING, uncountedAttempts: 1 });
    life.starts();
    life.says(failed(true));
    expect(life.task).to.include({ state: TaskState.FAILED, attempt: 2 });
  });

  it("refuses what another worker or another attempt says, and records it", () => {
    const life = new Life();
    life.starts();
    expect(life.says(SUCCEEDED, { worker: "other", number: 9 })).to.equal("stale");
    expect(life.says(SUCCEEDED, { attempt: 2, number: 9 })).to.equal("stale");
    expect(life.says(SUCCEEDED, { attempt: 0, number: 9 })).to.equal("stale");
    expect(life.task.state).to.equal(TaskState.RUNNING);
    expect(life.kinds()).to.deep.equal([
      "started",
      "staleAttemptRejected",
      "staleAttemptRejected",
      "staleAttemptRejected",
    ]);
  });

  it("does not record a stale progress, log or output report", () => {
    const life = new Life();
    life.starts();
    expect(life.says({ $case: "progress", value: { message: "" } }, { worker: "other" })).to.equal("stale");
    expect(life.kinds()).to.deep.equal(["started"]);
  });

  it("skips a report number it has applied, and a claim of a kind it does not know", () => {
    const life = new Life();
    life.starts();
    expect(life.starts(1)).to.equal("duplicate");
    expect(life.says(undefined)).to.equal("duplicate");
    expect(life.kinds()).to.deep.equal(["started"]);
  });
});

describe("requestCancel", () => {
  it("ends a task that no worker can have", () => {
    const life = new Life();
    expect(requestCancel(life.task, "why", false, life.moment, life.events)).to.equal("accepted");
    expect(life.task).to.include({ state: TaskState.CANCELLED, cancelReason: "why", endTimeMs: 1000 });
    expect(life.kinds()).to.deep.equal(["cancelRequested", "cancelled"]);
  });

  it("waits for the worker where one may have it, and for its certainty otherwise", () => {
    const life = new Life();
    expect(requestCancel(life.task, "why", true, life.moment, life.events)).to.equal("accepted");
    expect(life.task.state).to.equal(TaskState.PENDING);
    expect(requestCancel(life.task, "other", true, life.moment, life.events)).to.equal("repeated");
    expect(life.task.cancelReason).to.equal("why");
    expect(life.says({ $case: "cancelled", value: { phase: CancelPhase.BEFORE_START } }, { attempt: 1 })).to.equal(
      "applied",
    );
    expect(life.task).to.include({ state: TaskState.CANCELLED, attempt: 1 });
    expect(life.kinds()).to.deep.equal(["cancelRequested", "started", "cancelled"]);
    expect(life.events.at(-1)).to.include({ phase: CancelPhase.BEFORE_START });
  });

  it("turns a failed, released or lost attempt of a cancelled task into its end", () => {
    for (const end of [failed(true), RELEASED, { $case: "cancelled", value: { phase: 3 } } satisfies ClaimKind]) {
      const life = new Life();
      life.starts();
      requestCancel(life.task, "", true, life.moment, life.events);
      life.says(end);
      expect(life.task.state).to.equal(TaskState.CANCELLED);
    }
    const lost = new Life();
    lost.starts();
    requestCancel(lost.task, "", true, lost.moment, lost.events);
    expect(expireLease(lost.task, { workerId: "w", attempt: 1 }, 3, lost.moment, lost.events)).to.equal(true);
    expect(lost.task.state).to.equal(TaskState.CANCELLED);
  });

  it("lets a handler that finished first keep its result", () => {
    const life = new Life();
    life.starts();
    requestCancel(life.task, "", true, life.moment, life.events);
    life.says(SUCCEEDED);
    expect(life.task.state).to.equal(TaskState.COMPLETED);
    expect(requestCancel(life.task, "", false, life.moment, life.events)).to.equal("finished");
  });
});
