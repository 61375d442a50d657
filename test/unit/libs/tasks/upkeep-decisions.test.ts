import { expect } from "chai";
import { requestCancel } from "#libs/tasks/decide.js";
import { CancelPhase } from "#libs/tasks/event-fact.js";
import { AttemptOutcome, type TaskFacts } from "#libs/tasks/task-facts.js";
import { TaskState } from "#libs/tasks/task-state.js";
import { endAskedCancel, expireDeadline, expireLease, isReopenable, reopen } from "#libs/tasks/upkeep-decisions.js";
import { failed, Life, RELEASED, SUCCEEDED } from "#test/unit/libs/tasks/task-life.js";

const POISON_LOSSES = 3;

function lose(life: Life, poisonLosses = POISON_LOSSES): boolean {
  const { task, moment, events } = life;
  return expireLease(task, { workerId: "w", attempt: task.attempt }, poisonLosses, moment, events);
}

describe("expireLease", () => {
  it("counts the attempt and makes the next one due at once", () => {
    const life = new Life();
    life.starts();
    expect(lose(life)).to.equal(true);
    expect(life.task).to.include({ state: TaskState.PENDING, attempt: 1, uncountedAttempts: 0, runTimeMs: 1000 });
    expect(life.task.error).to.include({ code: "WORKER_LOST", retryable: true });
    expect(life.task.endedAttempt).to.deep.equal({ outcome: AttemptOutcome.LOST, error: life.task.error });
  });

  it("leaves the attempts of others alone", () => {
    const life = new Life();
    life.starts();
    const { task, moment, events } = life;
    expect(expireLease(task, { workerId: "other", attempt: 1 }, 1, moment, events)).to.equal(false);
    expect(expireLease(task, { workerId: "w", attempt: 2 }, 1, moment, events)).to.equal(false);
    expect(task).to.include({ state: TaskState.RUNNING, workerLosses: 0 });
  });

  it("fails a task with WORKER_LOST whose attempts are used up, or whose codes forbid it", () => {
    for (const overrides of [{ maxAttempts: 1 }, { retryCodes: { retryable: [], permanent: ["WORKER_LOST"] } }]) {
      const life = new Life(overrides);
      life.starts();
      lose(life);
      expect(life.task.state).to.equal(TaskState.FAILED);
      expect(life.task.error?.code).to.equal("WORKER_LOST");
      expect(life.task.endedAttempt?.outcome ?? AttemptOutcome.LOST).to.equal(AttemptOutcome.LOST);
    }
  });

  it("poisons a task that lost so many workers in a row, not one that lost fewer", () => {
    const life = new Life({ maxAttempts: 10 });
    for (const losses of [1, 2]) {
      life.starts();
      lose(life);
      expect(life.task).to.include({ state: TaskState.PENDING, workerLosses: losses });
    }
    life.starts();
    lose(life);
    expect(life.task).to.include({ state: TaskState.FAILED, workerLosses: 3 });
    expect(life.task.error).to.include({ code: "POISONED", retryable: false });
    expect(life.task.endedAttempt).to.deep.include({ outcome: AttemptOutcome.LOST });
    expect(life.task.endedAttempt?.error.code).to.equal("WORKER_LOST");
  });

  it("begins to count anew after any other end", () => {
    for (const end of [failed(true, 0), RELEASED, { $case: "cancelled", value: { phase: 2 } } as const]) {
      const life = new Life({ maxAttempts: 10 });
      for (let round = 0; round < 2; round += 1) {
        life.starts();
        lose(life);
      }
      life.starts();
      life.says(end);
      expect(life.task).to.include({ state: TaskState.PENDING, workerLosses: 0 });
      life.starts();
      lose(life);
      expect(life.task).to.include({ state: TaskState.PENDING, workerLosses: 1 });
    }
  });

  it("cancels instead where that was asked for", () => {
    const life = new Life();
    life.starts();
    requestCancel(life.task, "", true, life.moment, life.events);
    lose(life, 1);
    expect(life.task).to.include({ state: TaskState.CANCELLED, workerLosses: 1 });
  });
});

describe("expireDeadline", () => {
  const expire = (life: Life, isUntaken = true) => expireDeadline(life.task, isUntaken, life.moment, life.events);

  it("ends a waiting task at its deadline, not before", () => {
    for (const [deadlineMs, isEnded] of [
      [999, true],
      [1000, true],
      [1001, false],
      [null, false],
    ] as const) {
      const life = new Life({ deadlineMs });
      expect(expire(life), String(deadlineMs)).to.equal(isEnded);
      expect(life.task.state).to.equal(isEnded ? TaskState.FAILED : TaskState.PENDING);
      expect(life.kinds()).to.deep.equal(isEnded ? ["failed"] : []);
      if (isEnded) expect(life.task.error).to.include({ code: "TOTAL_TIMEOUT", detailsJson: "" });
    }
  });

  it("leaves running and finished tasks alone", () => {
    for (const state of [TaskState.RUNNING, TaskState.COMPLETED, TaskState.FAILED, TaskState.CANCELLED])
      expect(expire(new Life({ state, deadlineMs: 1 }))).to.equal(false);
  });

  it("names the error of the attempt before", () => {
    const life = new Life({ deadlineMs: 1500 });
    life.starts();
    life.says(failed(true, 400));
    life.moment.nowMs = 1500;
    expect(expire(life)).to.equal(true);
    expect(JSON.parse(life.task.error?.detailsJson ?? "")).to.deep.equal({ lastError: { code: "E", message: "m" } });
  });

  it("cancels instead where that was asked for", () => {
    const life = new Life({ deadlineMs: 1000 });
    requestCancel(life.task, "enough", true, life.moment, life.events);
    expect(expire(life)).to.equal(true);
    expect(life.task.state).to.equal(TaskState.CANCELLED);
    expect(life.events.at(-1)).to.include({ kind: "cancelled", phase: CancelPhase.BEFORE_START });
  });

  it("uses up the number of an attempt that somebody may have, uncounted", () => {
    const life = new Life({ deadlineMs: 1500, maxAttempts: 1 });
    life.starts();
    life.says(RELEASED);
    life.moment.nowMs = 1500;
    expect(expire(life, false)).to.equal(true);
    expect(life.task).to.include({ state: TaskState.FAILED, attempt: 2, uncountedAttempts: 2, startTimeMs: null });
  });
});

describe("endAskedCancel", () => {
  const end = (life: Life, isUntaken: boolean) => endAskedCancel(life.task, isUntaken, life.moment, life.events);

  it("ends a waiting task that nobody was handed, and says that nothing ran", () => {
    const life = new Life();
    requestCancel(life.task, "enough", true, life.moment, life.events);
    expect(end(life, true)).to.equal(true);
    expect(life.task).to.include({ state: TaskState.CANCELLED, attempt: 0, uncountedAttempts: 0 });
    expect(life.events.at(-1)).to.deep.equal({ kind: "cancelled", phase: CancelPhase.BEFORE_START, reason: "enough" });
  });

  it("does not say so where somebody may have been handed it, whose words then fit no later attempt", () => {
    const life = new Life();
    requestCancel(life.task, "", true, life.moment, life.events);
    expect(end(life, false)).to.equal(true);
    expect(life.task).to.include({ state: TaskState.CANCELLED, attempt: 1, uncountedAttempts: 1 });
    expect(life.events.at(-1)).to.include({ kind: "cancelled", phase: CancelPhase.WORKER_LOST });
    reopen(life.task, life.moment, life.events);
    expect(life.says(SUCCEEDED, { attempt: 1 })).to.equal("stale");
    expect(life.task).to.include({ state: TaskState.PENDING, attempt: 1, uncountedAttempts: 1 });
  });

  it("leaves alone what runs, has ended, or was not to be cancelled", () => {
    expect(end(new Life(), true)).to.equal(false);
    for (const state of [TaskState.RUNNING, TaskState.COMPLETED, TaskState.FAILED, TaskState.CANCELLED])
      expect(end(new Life({ state, cancelRequestTimeMs: 1 }), false)).to.equal(false);
  });
});

describe("reopen", () => {
  const verdictOf = (life: Life) => reopen(life.task, life.moment, life.events);

  it("opens failed and cancelled tasks and no others", () => {
    for (const [state, verdict] of [
      [TaskState.PENDING, "notFinished"],
      [TaskState.RUNNING, "notFinished"],
      [TaskState.COMPLETED, "completed"],
      [TaskState.FAILED, "reopened"],
      [TaskState.CANCELLED, "reopened"],
    ] as const) {
      const life = new Life({ state });
      const before = structuredClone(life.task);
      expect(verdictOf(life)).to.equal(verdict);
      expect(isReopenable(state)).to.equal(verdict === "reopened");
      if (verdict === "reopened") expect(life.events).to.deep.equal([{ kind: "reopened", runTimeMs: 1000 }]);
      else expect([life.task, life.events]).to.deep.equal([before, []]);
    }
  });

  it("begins count, losses, cancel and total timeout anew; numbers and the error go on", () => {
    const life = new Life({ maxAttempts: 2, totalTimeoutMs: 700, deadlineMs: 5000 });
    life.starts();
    lose(life);
    life.starts();
    life.says(failed(true));
    life.moment.nowMs = 9000;
    expect(verdictOf(life)).to.equal("reopened");
    const anew: Partial<TaskFacts> = {
      state: TaskState.PENDING,
      attempt: 2,
      uncountedAttempts: 2,
      workerLosses: 0,
      runTimeMs: 9000,
      deadlineMs: 9700,
      endTimeMs: null,
      cancelRequestTimeMs: null,
      cancelReason: "",
    };
    expect(life.task).to.include(anew);
    expect(life.task.error?.code).to.equal("E");
    for (let round = 0; round < 2; round += 1) {
      life.starts();
      life.says(failed(true, 0));
    }
    expect(life.task).to.include({ state: TaskState.FAILED, attempt: 4 });
  });

  it("forgets the cancel of the round before", () => {
    const life = new Life();
    requestCancel(life.task, "enough", false, life.moment, life.events);
    expect(verdictOf(life)).to.equal("reopened");
    life.starts();
    life.says(SUCCEEDED);
    expect(life.task).to.include({ state: TaskState.COMPLETED, cancelRequestTimeMs: null, cancelReason: "" });
  });
});
