import { expect } from "chai";
import type { ClaimKind } from "#libs/tasks/claim.js";
import { requestCancel } from "#libs/tasks/decide.js";
import { CancelPhase } from "#libs/tasks/event-fact.js";
import { AttemptOutcome, type TaskFacts } from "#libs/tasks/task-facts.js";
import { TaskState } from "#libs/tasks/task-state.js";
import { expireLease } from "#libs/tasks/upkeep-decisions.js";
import { failed, Life, RELEASED, STARTED, SUCCEEDED } from "#test/unit/libs/tasks/task-life.js";

/** A task whose first attempt ended in a certain way, at 1000. */
function ended(end: ClaimKind, overrides: Partial<TaskFacts> = {}): Life {
  const life = new Life(overrides);
  life.starts();
  life.says(end);
  return life;
}

function cancelledBy(end: ClaimKind): Life {
  const life = new Life();
  life.starts();
  requestCancel(life.task, "enough", true, life.moment, life.events);
  life.says(end);
  return life;
}

describe("Which failures are retried", () => {
  const cases = [
    { codes: null, code: "A", isRetried: true },
    { codes: { retryable: [], permanent: [] }, code: "A", isRetried: true },
    { codes: { retryable: ["A"], permanent: [] }, code: "A", isRetried: true },
    { codes: { retryable: ["A"], permanent: [] }, code: "B", isRetried: false },
    { codes: { retryable: [], permanent: ["A"] }, code: "A", isRetried: false },
    { codes: { retryable: [], permanent: ["A"] }, code: "B", isRetried: true },
    { codes: { retryable: ["A"], permanent: ["A"] }, code: "A", isRetried: false },
  ];
  for (const { codes: retryCodes, code, isRetried } of cases) {
    it(`${code} is ${isRetried ? "" : "not "}retried under ${JSON.stringify(retryCodes)}`, () => {
      const { task } = ended(failed(true, 0, code), { retryCodes });
      expect(task.state).to.equal(isRetried ? TaskState.PENDING : TaskState.FAILED);
    });
  }

  it("an error that says it is permanent is not, whatever the codes say", () => {
    const retryCodes = { retryable: ["A"], permanent: [] };
    expect(ended(failed(false, 0, "A"), { retryCodes }).task.state).to.equal(TaskState.FAILED);
  });

  it("the handler's codes hold only where the creator gave none", () => {
    const start = { ...STARTED, value: { maxAttempts: 0, multiplier: 0, retryableCodes: [], permanentCodes: ["E"] } };
    const told = new Life({ retryCodes: { retryable: ["E"], permanent: [] } });
    told.says(start as ClaimKind, { attempt: 1 });
    told.says(failed(true, 0));
    expect(told.task.state).to.equal(TaskState.PENDING);
    const silent = new Life();
    silent.says(start as ClaimKind, { attempt: 1 });
    silent.says(failed(true, 0));
    expect(silent.task.state).to.equal(TaskState.FAILED);
  });

  it("a failure without an error is a retryable HANDLER_ERROR", () => {
    const { task } = ended({ $case: "failed", value: {} });
    expect(task.state).to.equal(TaskState.PENDING);
    expect(task.error).to.include({ code: "HANDLER_ERROR", retryable: true });
  });
});

describe("A total timeout", () => {
  for (const end of [
    failed(true, 500),
    { ...RELEASED, value: { reason: "", retryAfterMs: 500, code: "RETRY_LATER" } },
  ] as const)
    it(`lets no attempt begin after the deadline (${end.$case})`, () => {
      for (const [deadlineMs, state] of [
        [1499, TaskState.FAILED],
        [1500, TaskState.PENDING],
        [1501, TaskState.PENDING],
      ] as const)
        expect(ended(end as ClaimKind, { deadlineMs }).task.state, String(deadlineMs)).to.equal(state);
      const { task, events } = ended(end as ClaimKind, { deadlineMs: 1499 });
      const code = end.$case === "failed" ? "E" : "RETRY_LATER";
      expect(task.error).to.include({ code: "TOTAL_TIMEOUT", retryable: true });
      expect(JSON.parse(task.error?.detailsJson ?? "")).to.have.nested.property("lastError.code", code);
      expect(events.at(-1)).to.deep.equal({ kind: "failed", error: task.error });
      expect(task.endedAttempt?.error.code).to.equal(code);
    });

  it("does not end an attempt that runs beyond it", () => {
    const life = new Life({ deadlineMs: 900 });
    life.starts();
    life.says(SUCCEEDED);
    expect(life.task.state).to.equal(TaskState.COMPLETED);
  });

  it("is the creator's, else the handler's from when the task was due, and 0 means none", () => {
    const own = (totalTimeoutMs: number): ClaimKind => ({
      $case: "started",
      value: { maxAttempts: 0, multiplier: 0, totalTimeoutMs, retryableCodes: [], permanentCodes: [] },
    });
    for (const [asked, handler, total, deadlineMs] of [
      [null, 300, 300, 1100],
      [null, 0, 0, null],
      [0, 300, 0, null],
    ] as const) {
      const life = new Life({ totalTimeoutMs: asked, runTimeMs: 800 });
      life.says(own(handler), { attempt: 1 });
      expect(life.task).to.include({ totalTimeoutMs: total, deadlineMs });
    }
    const told = new Life({ totalTimeoutMs: 50, deadlineMs: 850, runTimeMs: 800 });
    told.says(own(300), { attempt: 1 });
    expect(told.task).to.include({ totalTimeoutMs: 50, deadlineMs: 850 });
  });
});

describe("A released attempt", () => {
  it("says RETRY_LATER if the handler asked for it and WORKER_SHUTDOWN for anything else", () => {
    for (const [said, code] of [
      ["RETRY_LATER", "RETRY_LATER"],
      ["WORKER_SHUTDOWN", "WORKER_SHUTDOWN"],
      ["", "WORKER_SHUTDOWN"],
      ["POISONED", "WORKER_SHUTDOWN"],
    ] as const) {
      const { task, events } = ended({ $case: "released", value: { reason: "why", retryAfterMs: 7, code: said } });
      expect(task).to.include({ state: TaskState.PENDING, runTimeMs: 1007, uncountedAttempts: 1 });
      expect(task.error).to.include({ code, message: "why" });
      expect(events.at(-1)).to.deep.equal({ kind: "released", reason: "why", code, runTimeMs: 1007 });
      expect(task.endedAttempt).to.deep.include({ outcome: AttemptOutcome.RELEASED });
    }
  });

  it("is one that a worker stopped for a cancel of an earlier round", () => {
    for (const phase of Object.values(CancelPhase)) {
      const { task } = ended({ $case: "cancelled", value: { phase } }, { workerLosses: 1 });
      expect(task).to.include({ state: TaskState.PENDING, uncountedAttempts: 1, workerLosses: 0 });
    }
    const early = new Life();
    expect(early.says({ $case: "cancelled", value: { phase: CancelPhase.BEFORE_START } }, { attempt: 1 })).to.equal(
      "applied",
    );
    expect(early.task).to.include({ state: TaskState.PENDING, attempt: 1, uncountedAttempts: 1 });
    expect(early.kinds()).to.deep.equal(["started", "released"]);
  });
});

describe("A cancelled task", () => {
  it("has the error CANCELLED with the reason, whatever its attempt said, and the phase it was in", () => {
    for (const [end, phase] of [
      [failed(false), CancelPhase.COOPERATIVE],
      [RELEASED, CancelPhase.COOPERATIVE],
      [{ $case: "cancelled", value: { phase: 1 } }, CancelPhase.BEFORE_START],
      [{ $case: "cancelled", value: { phase: 2 } }, CancelPhase.COOPERATIVE],
      [{ $case: "cancelled", value: { phase: 3 } }, CancelPhase.KILLED],
      [{ $case: "cancelled", value: { phase: 4 } }, CancelPhase.COOPERATIVE],
      [{ $case: "cancelled", value: { phase: 99 } }, CancelPhase.COOPERATIVE],
    ] as [ClaimKind, CancelPhase][]) {
      const { task, events } = cancelledBy(end);
      expect(task.state).to.equal(TaskState.CANCELLED);
      expect(task.error).to.deep.equal({ code: "CANCELLED", message: "enough", retryable: false, detailsJson: "" });
      expect(events.at(-1)).to.deep.equal({ kind: "cancelled", phase, reason: "enough" });
      expect(task.endedAttempt).to.equal(null);
    }
  });

  it("says so when nobody gave a reason, and when its worker was lost", () => {
    const life = new Life();
    life.starts();
    requestCancel(life.task, "", true, life.moment, life.events);
    expireLease(life.task, { workerId: "w", attempt: 1 }, 1, life.moment, life.events);
    expect(life.task.error).to.include({ code: "CANCELLED", message: "the task was cancelled" });
    expect(life.events.at(-1)).to.deep.equal({ kind: "cancelled", phase: CancelPhase.WORKER_LOST, reason: "" });
  });
});

describe("A completed task", () => {
  it("keeps its warnings and no error of an earlier attempt", () => {
    const warnings = [{ code: "PARTIAL", message: "one page", retryable: false, detailsJson: "" }];
    const life = ended(failed(true, 0));
    life.starts();
    life.says({ $case: "succeeded", value: { resultJson: "1", warnings } });
    expect(life.task).to.deep.include({ state: TaskState.COMPLETED, warnings, error: null });
    expect(life.events.at(-1)).to.deep.equal({ kind: "completed", resultJson: "1", warnings });
  });
});

describe("The end of an attempt", () => {
  it("is told apart exactly where the task's own fields do not tell it", () => {
    const { FAILED, RELEASED: BACK } = AttemptOutcome;
    for (const [end, overrides, outcome] of [
      [failed(true), {}, FAILED],
      [failed(true), { maxAttempts: 1 }, undefined],
      [failed(false), {}, undefined],
      [failed(true, 10), { deadlineMs: 1000 }, FAILED],
      [RELEASED, {}, BACK],
      [RELEASED, { deadlineMs: 999 }, BACK],
      [SUCCEEDED, {}, undefined],
    ] as [ClaimKind, Partial<TaskFacts>, AttemptOutcome | undefined][])
      expect(ended(end, overrides).task.endedAttempt?.outcome, end.$case).to.equal(outcome);
  });
});
