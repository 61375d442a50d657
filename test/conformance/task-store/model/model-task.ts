import type { AttemptErrorFact, ClaimKind, StartedClaim } from "#libs/tasks/claim.js";
import { AttemptOutcome } from "#libs/tasks/task-facts.js";
import { TaskState } from "#libs/tasks/task-state.js";
import type { AttemptRecord, NewTask, TaskRecord } from "#task-service/store/task-record.js";
import type { Lease, WithWorker } from "#task-service/store/write-command.js";
import type { ModelEvent } from "#test/conformance/task-store/model/model-event.js";

const [BEFORE_START, COOPERATIVE, KILLED, WORKER_LOST] = [1, 2, 3, 4];

/** One task of the model: Taskwire's rules written a second time, plainly, with the whole history kept. */
export class ModelTask {
  readonly record: TaskRecord;
  readonly attempts: AttemptRecord[] = [];
  readonly events: ModelEvent[] = [];
  readonly requestId: string | null;
  readonly requestHash: string | null;
  isWaiting: boolean;
  readonly #onEvent: (event: ModelEvent) => void;

  constructor(task: NewTask, key: number, nowMs: number, onEvent: (event: ModelEvent) => void) {
    const { labelsJson, requestId, requestHash, ...asked } = task;
    this.requestId = requestId;
    this.requestHash = requestHash;
    this.#onEvent = onEvent;
    this.record = {
      ...asked,
      key,
      labels: JSON.parse(labelsJson) as Record<string, string>,
      state: TaskState.PENDING,
      attempt: 0,
      uncountedAttempts: 0,
      workerLosses: 0,
      reportNumber: 0,
      workerId: null,
      startTimeMs: null,
      endTimeMs: null,
      cancelRequestTimeMs: null,
      cancelReason: "",
      progress: null,
      resultJson: null,
      error: null,
      warnings: [],
      endedAttempt: null,
      deadlineMs: task.totalTimeoutMs ? task.runTimeMs + task.totalTimeoutMs : null,
      updateTimeMs: task.createTimeMs,
      sequence: 0,
    };
    const { type, queue, runTimeMs, createTimeMs } = task;
    this.isWaiting = false;
    this.#happened("created", createTimeMs, { type, queue, runTime: new Date(runTimeMs) });
    this.isWaiting = runTimeMs > nowMs;
  }

  get isOpen(): boolean {
    return this.record.state === TaskState.PENDING || this.record.state === TaskState.RUNNING;
  }

  /** A worker says something of an attempt. */
  hear(
    by: { readonly workerId: string; readonly attempt: number; readonly number: number },
    kind: ClaimKind,
    nowMs: number,
  ): "applied" | "duplicate" | "stale" {
    const { record } = this;
    const isKnown = by.attempt === record.attempt && by.workerId === record.workerId;
    if (isKnown && by.number <= record.reportNumber) return "duplicate";
    if (!isKnown || record.state !== TaskState.RUNNING) {
      const isNext = record.state === TaskState.PENDING && by.attempt === record.attempt + 1;
      if (!isNext) {
        if (this.isOpen && ["started", "succeeded", "failed", "cancelled", "released"].includes(kind.$case))
          this.#happened("staleAttemptRejected", nowMs, { workerId: by.workerId, reportedAttempt: by.attempt });
        return "stale";
      }
      this.#begin(by, kind.$case === "started" ? kind.value : undefined, nowMs);
    } else if (kind.$case === "started") return "duplicate";
    record.reportNumber = by.number;
    this.#take(kind, nowMs);
    return "applied";
  }

  cancel(reason: string, withWorker: WithWorker, nowMs: number): "accepted" | "repeated" | "finished" {
    const { record } = this;
    if (record.state === TaskState.CANCELLED) return "repeated";
    if (!this.isOpen) return "finished";
    const isFirst = record.cancelRequestTimeMs === null;
    // A task whose time has come is with nobody until it was made due.
    const isTaken = !this.isWaiting && (withWorker === "any" || withWorker === record.attempt + 1);
    if (isFirst) {
      record.cancelRequestTimeMs = nowMs;
      record.cancelReason = reason;
      this.#happened("cancelRequested", nowMs, { reason });
    }
    if (record.state === TaskState.PENDING && !isTaken) this.#cancelled(BEFORE_START, nowMs);
    return isFirst ? "accepted" : "repeated";
  }

  reopen(nowMs: number): void {
    const { record } = this;
    record.state = TaskState.PENDING;
    record.uncountedAttempts = record.attempt;
    record.workerLosses = 0;
    record.endTimeMs = null;
    record.cancelRequestTimeMs = null;
    record.cancelReason = "";
    record.runTimeMs = nowMs;
    record.deadlineMs = record.totalTimeoutMs ? nowMs + record.totalTimeoutMs : null;
    this.#happened("reopened", nowMs, { runTime: new Date(nowMs) });
  }

  loseWorker(lease: Lease, poisonLosses: number, nowMs: number): boolean {
    const { record } = this;
    const isHeld = record.attempt === lease.attempt && record.workerId === lease.workerId;
    if (record.state !== TaskState.RUNNING || !isHeld) return false;
    record.workerLosses += 1;
    const message = `worker ${lease.workerId} was not heard of within the lease time`;
    const error = { code: "WORKER_LOST", message, retryable: true, detailsJson: "" };
    if (record.cancelRequestTimeMs !== null) this.#cancelled(WORKER_LOST, nowMs);
    else if (record.workerLosses >= poisonLosses) {
      this.#endAttempt(AttemptOutcome.LOST, error, nowMs);
      const why = `${record.workerLosses} workers in a row were lost while they ran this task`;
      this.#failed({ code: "POISONED", message: why, retryable: false, detailsJson: "" }, nowMs);
    } else this.#attemptFailed(AttemptOutcome.LOST, error, 0, nowMs);
    return true;
  }

  missDeadline(isUntaken: boolean, nowMs: number): boolean {
    const { state, deadlineMs, cancelRequestTimeMs, error } = this.record;
    if (state !== TaskState.PENDING || deadlineMs === null || deadlineMs > nowMs) return false;
    if (cancelRequestTimeMs !== null) return this.endCancel(isUntaken, nowMs);
    if (!isUntaken) this.#skipNumber();
    this.#failed(totalTimeout(error), nowMs);
    return true;
  }

  endCancel(isUntaken: boolean, nowMs: number): boolean {
    if (this.record.state !== TaskState.PENDING || this.record.cancelRequestTimeMs === null) return false;
    if (!isUntaken) this.#skipNumber();
    this.#cancelled(isUntaken ? BEFORE_START : WORKER_LOST, nowMs);
    return true;
  }

  /** A worker that was not heard of may have the next attempt. */
  #skipNumber(): void {
    this.record.attempt += 1;
    this.record.uncountedAttempts += 1;
    this.record.startTimeMs = null;
    this.record.reportNumber = 0;
  }

  #begin(by: { readonly workerId: string; readonly attempt: number }, own: StartedClaim | undefined, nowMs: number) {
    const { record } = this;
    record.state = TaskState.RUNNING;
    record.attempt = by.attempt;
    record.workerId = by.workerId;
    record.startTimeMs = nowMs;
    record.progress = null;
    if (record.maxAttempts === 0) record.maxAttempts = own === undefined || own.maxAttempts === 0 ? 3 : own.maxAttempts;
    if (own !== undefined) {
      if (record.initialDelayMs === null) record.initialDelayMs = own.initialDelayMs ?? null;
      if (record.maximumDelayMs === null) record.maximumDelayMs = own.maximumDelayMs ?? null;
      if (record.multiplier === 0) record.multiplier = own.multiplier;
      if (record.totalTimeoutMs === null && own.totalTimeoutMs !== undefined) {
        record.totalTimeoutMs = own.totalTimeoutMs;
        record.deadlineMs = own.totalTimeoutMs === 0 ? null : record.runTimeMs + own.totalTimeoutMs;
      }
      const { retryableCodes: retryable, permanentCodes: permanent } = own;
      if (record.retryCodes === null && (retryable.length > 0 || permanent.length > 0))
        record.retryCodes = { retryable, permanent };
    }
    const { attempt: number, workerId } = by;
    const outcome = AttemptOutcome.RUNNING;
    this.attempts.push({ number, workerId, startTimeMs: nowMs, endTimeMs: null, outcome, error: null });
    this.#happened("started", nowMs, { workerId, maxAttempts: record.maxAttempts });
  }

  #take(kind: ClaimKind, nowMs: number): void {
    const { record } = this;
    switch (kind.$case) {
      case "started":
        return;
      case "progress":
        record.progress = kind.value;
        this.#happened("progress", nowMs, { message: kind.value.message });
        return;
      case "succeeded":
        record.state = TaskState.COMPLETED;
        record.endTimeMs = nowMs;
        record.workerLosses = 0;
        record.error = null;
        record.resultJson = kind.value.resultJson;
        record.warnings = kind.value.warnings;
        this.#endAttempt(AttemptOutcome.SUCCEEDED, null, nowMs);
        this.#happened("completed", nowMs, { resultOmitted: false });
        return;
      case "failed": {
        const unknown = { code: "HANDLER_ERROR", message: "the attempt failed", retryable: true, detailsJson: "" };
        const error = kind.value.error ?? unknown;
        record.workerLosses = 0;
        if (record.cancelRequestTimeMs !== null) this.#cancelled(COOPERATIVE, nowMs);
        else this.#attemptFailed(AttemptOutcome.FAILED, error, kind.value.retryAfterMs ?? 0, nowMs);
        return;
      }
      case "cancelled":
        record.workerLosses = 0;
        if (record.cancelRequestTimeMs === null)
          this.#handedBack({ code: "WORKER_SHUTDOWN", reason: "stopped for an old cancel", retryAfterMs: 0 }, nowMs);
        else this.#cancelled([BEFORE_START, KILLED].includes(kind.value.phase) ? kind.value.phase : COOPERATIVE, nowMs);
        return;
      case "released":
        record.workerLosses = 0;
        if (record.cancelRequestTimeMs !== null) this.#cancelled(COOPERATIVE, nowMs);
        else this.#handedBack(kind.value, nowMs);
        return;
      default:
        this.#happened(kind.$case, nowMs, {});
    }
  }

  /** `delayMs`: until the next attempt, if there is one; the model's tasks ask for no random delays. */
  #attemptFailed(outcome: AttemptOutcome, error: AttemptErrorFact, delayMs: number, nowMs: number): void {
    const { record } = this;
    this.#endAttempt(outcome, error, nowMs);
    const codes = record.retryCodes;
    const isForbidden = codes?.permanent.includes(error.code) ?? false;
    const isListed = codes === null || codes.retryable.length === 0 || codes.retryable.includes(error.code);
    const isUsedUp = record.attempt - record.uncountedAttempts >= record.maxAttempts;
    if (!error.retryable || isForbidden || !isListed || isUsedUp) this.#failed(error, nowMs);
    else this.#again("retryScheduled", error, { error }, nowMs + delayMs, nowMs);
  }

  #handedBack(by: { code: string; reason: string; retryAfterMs: number }, nowMs: number): void {
    const { reason, retryAfterMs } = by;
    const code = by.code === "RETRY_LATER" ? "RETRY_LATER" : "WORKER_SHUTDOWN";
    const error = { code, message: reason, retryable: true, detailsJson: "" };
    this.record.uncountedAttempts += 1;
    this.#endAttempt(AttemptOutcome.RELEASED, error, nowMs);
    this.#again("released", error, { code, reason }, nowMs + retryAfterMs, nowMs);
  }

  /** Another attempt at `runTimeMs`, or the end if that is beyond the deadline. */
  #again(kind: string, error: AttemptErrorFact, says: Record<string, unknown>, runTimeMs: number, nowMs: number): void {
    const { record } = this;
    if (record.deadlineMs !== null && runTimeMs > record.deadlineMs) {
      this.#failed(totalTimeout(error), nowMs);
      return;
    }
    record.state = TaskState.PENDING;
    record.error = error;
    record.runTimeMs = runTimeMs;
    this.#happened(kind, nowMs, { ...says, runTime: new Date(runTimeMs) });
  }

  #failed(error: AttemptErrorFact, nowMs: number): void {
    this.record.state = TaskState.FAILED;
    this.record.endTimeMs = nowMs;
    this.record.error = error;
    this.#happened("failed", nowMs, { error });
  }

  #cancelled(phase: number, nowMs: number): void {
    const { record } = this;
    const message = record.cancelReason === "" ? "the task was cancelled" : record.cancelReason;
    record.error = { code: "CANCELLED", message, retryable: false, detailsJson: "" };
    if (record.state === TaskState.RUNNING) this.#endAttempt(AttemptOutcome.CANCELLED, record.error, nowMs);
    record.state = TaskState.CANCELLED;
    record.endTimeMs = nowMs;
    this.#happened("cancelled", nowMs, { phase, reason: record.cancelReason });
  }

  #endAttempt(outcome: AttemptOutcome, error: AttemptErrorFact | null, endTimeMs: number): void {
    const running = this.attempts.pop();
    if (running === undefined) throw new Error("no attempt runs");
    this.attempts.push({ ...running, outcome, error, endTimeMs });
  }

  #happened(kind: string, nowMs: number, says: Readonly<Record<string, unknown>>): void {
    const { record } = this;
    record.sequence += 1;
    record.updateTimeMs = nowMs;
    this.isWaiting = record.state === TaskState.PENDING && record.runTimeMs > nowMs;
    const { id: taskId, sequence, state, attempt } = record;
    const event = { taskId, sequence, kind, state, attempt, timeMs: nowMs, says, revision: 0 };
    this.events.push(event);
    this.#onEvent(event);
  }
}

function totalTimeout(last: AttemptErrorFact | null): AttemptErrorFact {
  const detailsJson =
    last === null ? "" : `{"lastError":${JSON.stringify({ code: last.code, message: last.message })}}`;
  return {
    code: "TOTAL_TIMEOUT",
    message: "the total timeout of the retry policy has passed",
    retryable: true,
    detailsJson,
  };
}
