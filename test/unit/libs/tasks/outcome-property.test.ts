import { expect } from "chai";
import fc from "fast-check";
import { AttemptOutcome } from "#libs/tasks/task-facts.js";
import { isTerminal, TaskState } from "#libs/tasks/task-state.js";
import { lives, live, POISON_LOSSES, wishes, type LifeOutcome } from "#test/unit/libs/tasks/random-lives.js";

const RUNS = { numRuns: 1000 };

function forAllSteps(check: () => (outcome: LifeOutcome) => void): void {
  fc.assert(
    fc.property(lives, wishes, (life, wish) => {
      live(life, wish, check());
    }),
    RUNS,
  );
}

/** Whether an attempt ended in a step. */
function endsAttempt({ before, events, task }: LifeOutcome): boolean {
  const wasRunning = before.state === TaskState.RUNNING || events.some(({ kind }) => kind === "started");
  return wasRunning && task.state !== TaskState.RUNNING;
}

describe("The outcomes of any life", () => {
  it("schedule no attempt beyond the deadline of the round, and end a task that waits beyond it", () => {
    forAllSteps(() => ({ events, task, step, nowMs }) => {
      const isScheduled = events.some(({ kind }) => ["retryScheduled", "released", "reopened"].includes(kind));
      const { deadlineMs, runTimeMs, state } = task;
      if (isScheduled && state === TaskState.PENDING && deadlineMs !== null)
        expect(runTimeMs).to.be.within(nowMs, deadlineMs);
      if (step.what === "overdue" && deadlineMs !== null && deadlineMs <= nowMs)
        expect(state).not.to.equal(TaskState.PENDING);
    });
  });

  it("begin the deadline anew with each round, from the total timeout alone", () => {
    forAllSteps(() => ({ task, before, verdict, nowMs }) => {
      if (verdict === "reopened")
        expect(task.deadlineMs).to.equal(task.totalTimeoutMs ? nowMs + task.totalTimeoutMs : null);
      else if (before.totalTimeoutMs !== null) expect(task.deadlineMs).to.equal(before.deadlineMs);
      if (!task.totalTimeoutMs) expect(task.deadlineMs).to.equal(null);
    });
  });

  it("count workers lost in a row, and no task goes on that lost too many", () => {
    forAllSteps(() => {
      let losses = 0;
      return (outcome) => {
        const { step, verdict, task } = outcome;
        const isLost = (step.what === "lose" || step.what === "expire") && verdict === "expired";
        if (isLost) losses += 1;
        else if (verdict === "reopened" || endsAttempt(outcome)) losses = 0;
        expect(task.workerLosses).to.equal(losses);
        // Only the step that never poisons may go beyond.
        if (step.what === "lose" && isLost && losses >= POISON_LOSSES) expect(isTerminal(task.state)).to.equal(true);
        if (task.error?.code === "POISONED") expect(task.state).not.to.equal(TaskState.COMPLETED);
      };
    });
  });

  it("tell of an ended attempt exactly where the task's own fields do not", () => {
    forAllSteps(() => (outcome) => {
      const { task, events } = outcome;
      const failure = events.find(({ kind }) => kind === "failed");
      const isOfTask = failure?.kind === "failed" && ["POISONED", "TOTAL_TIMEOUT"].includes(failure.error.code);
      const isUntold = endsAttempt(outcome) && (task.state === TaskState.PENDING || isOfTask);
      expect(task.endedAttempt !== null).to.equal(isUntold);
      if (task.endedAttempt === null) return;
      const { outcome: how, error } = task.endedAttempt;
      expect(how).to.be.oneOf([AttemptOutcome.FAILED, AttemptOutcome.RELEASED, AttemptOutcome.LOST]);
      expect(how === AttemptOutcome.LOST).to.equal(error.code === "WORKER_LOST");
      expect(how === AttemptOutcome.RELEASED).to.equal(["RETRY_LATER", "WORKER_SHUTDOWN"].includes(error.code));
    });
  });

  it("never let a task go on, or fail, whose cancel was asked for", () => {
    forAllSteps(() => (outcome) => {
      const { before, task, events } = outcome;
      if (before.cancelRequestTimeMs === null || isTerminal(before.state)) return;
      expect(task.state).not.to.equal(TaskState.FAILED);
      if (endsAttempt(outcome)) expect(task.state).to.be.oneOf([TaskState.COMPLETED, TaskState.CANCELLED]);
      expect(events.filter(({ kind }) => kind === "retryScheduled" || kind === "released")).to.deep.equal([]);
    });
  });

  it("leave the error CANCELLED and the time of the request in every cancelled task", () => {
    forAllSteps(() => ({ task }) => {
      if (task.state !== TaskState.CANCELLED) return;
      expect(task.error).to.include({ code: "CANCELLED", retryable: false });
      expect(task.cancelRequestTimeMs).not.to.equal(null);
    });
  });

  it("end FAILED when attempts are used up by failures and lost workers alone", () => {
    const endings = fc.array(fc.boolean(), { minLength: 5, maxLength: 5 });
    fc.assert(
      fc.property(endings, fc.integer({ min: 1, max: 5 }), (life, maxAttempts) => {
        let last: LifeOutcome["task"] | undefined;
        const started = { maxAttempts: 0, multiplier: 0, retryableCodes: [], permanentCodes: [] };
        const claim = { what: "claim", worker: "worker-a", numberShift: 1 } as const;
        const steps = life.flatMap((isLost) => [
          { ...claim, attemptShift: 1, kind: { $case: "started", value: started } } as const,
          isLost
            ? ({ what: "expire", worker: "worker-a", attemptShift: 0 } as const)
            : ({ ...claim, attemptShift: 0, kind: { $case: "failed", value: {} } } as const),
        ]);
        live(steps, { maxAttempts }, ({ task }) => (last = task));
        expect(last).to.include({ state: TaskState.FAILED, attempt: maxAttempts });
      }),
      { numRuns: 200 },
    );
  });
});
