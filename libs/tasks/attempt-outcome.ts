import type { AttemptErrorFact, FailedClaim, ReleasedClaim } from "#libs/tasks/claim.js";
import { CancelPhase, type EventFact } from "#libs/tasks/event-fact.js";
import type { Moment } from "#libs/tasks/moment.js";
import { DEFAULT_RETRY_POLICY, isRetriedCode, retryDelayMs } from "#libs/tasks/retry-policy.js";
import { AttemptOutcome, type TaskFacts } from "#libs/tasks/task-facts.js";
import { isLegalMove, TaskState } from "#libs/tasks/task-state.js";

const UNKNOWN_FAILURE: AttemptErrorFact = {
  code: "HANDLER_ERROR",
  message: "the attempt failed",
  retryable: true,
  detailsJson: "",
};

/** Moves a task to another state; throws where the table of legal moves does not have it. */
export function move(task: TaskFacts, to: TaskState): void {
  if (!isLegalMove(task.state, to)) throw new Error(`task ${task.id} cannot go from state ${task.state} to ${to}`);
  task.state = to;
}

/** The running attempt failed: another one follows, unless the error, the policy, the count or the deadline forbids it. */
export function fail(task: TaskFacts, claim: FailedClaim, moment: Moment, events: EventFact[]): void {
  const error = claim.error ?? UNKNOWN_FAILURE;
  task.error = error;
  if (task.cancelRequestTimeMs !== null) {
    endCancelled(
      task,
      error.code === "WORKER_LOST" ? CancelPhase.WORKER_LOST : CancelPhase.COOPERATIVE,
      moment,
      events,
    );
    return;
  }
  const counted = task.attempt - task.uncountedAttempts;
  if (!error.retryable || !isRetriedCode(task.retryCodes, error.code) || counted >= task.maxAttempts) {
    endFailed(task, error, moment, events);
    return;
  }
  const policy = {
    initialDelayMs: task.initialDelayMs ?? DEFAULT_RETRY_POLICY.initialDelayMs,
    maximumDelayMs: task.maximumDelayMs ?? DEFAULT_RETRY_POLICY.maximumDelayMs,
    multiplier: task.multiplier || DEFAULT_RETRY_POLICY.multiplier,
  };
  const runTimeMs = moment.nowMs + (claim.retryAfterMs ?? retryDelayMs(policy, counted, moment.random()));
  task.endedAttempt = { outcome: error.code === "WORKER_LOST" ? AttemptOutcome.LOST : AttemptOutcome.FAILED, error };
  if (isTooLate(task, runTimeMs)) {
    endFailed(task, totalTimeout(error), moment, events);
    return;
  }
  move(task, TaskState.PENDING);
  task.runTimeMs = runTimeMs;
  events.push({ kind: "retryScheduled", error, runTimeMs });
}

/** The running attempt was handed back: it does not count. */
export function release(task: TaskFacts, claim: ReleasedClaim, moment: Moment, events: EventFact[]): void {
  if (task.cancelRequestTimeMs !== null) {
    endCancelled(task, CancelPhase.COOPERATIVE, moment, events);
    return;
  }
  task.uncountedAttempts += 1;
  const code = claim.code === "RETRY_LATER" ? claim.code : "WORKER_SHUTDOWN";
  const runTimeMs = moment.nowMs + claim.retryAfterMs;
  const error = { code, message: claim.reason, retryable: true, detailsJson: "" };
  task.endedAttempt = { outcome: AttemptOutcome.RELEASED, error };
  if (isTooLate(task, runTimeMs)) {
    endFailed(task, totalTimeout(error), moment, events);
    return;
  }
  task.error = error;
  move(task, TaskState.PENDING);
  task.runTimeMs = runTimeMs;
  events.push({ kind: "released", reason: claim.reason, code, runTimeMs });
}

function isTooLate(task: TaskFacts, runTimeMs: number): boolean {
  return task.deadlineMs !== null && runTimeMs > task.deadlineMs;
}

/** The task ends CANCELLED. */
export function endCancelled(task: TaskFacts, phase: CancelPhase, moment: Moment, events: EventFact[]): void {
  move(task, TaskState.CANCELLED);
  task.endTimeMs = moment.nowMs;
  task.cancelRequestTimeMs ??= moment.nowMs;
  const message = task.cancelReason === "" ? "the task was cancelled" : task.cancelReason;
  task.error = { code: "CANCELLED", message, retryable: false, detailsJson: "" };
  events.push({ kind: "cancelled", phase, reason: task.cancelReason });
}

/** The task ends FAILED. */
export function endFailed(task: TaskFacts, error: AttemptErrorFact, moment: Moment, events: EventFact[]): void {
  move(task, TaskState.FAILED);
  task.error = error;
  task.endTimeMs = moment.nowMs;
  events.push({ kind: "failed", error });
}

/** What a task fails with whose next attempt would start after its deadline. */
export function totalTimeout(last: AttemptErrorFact | null): AttemptErrorFact {
  return {
    code: "TOTAL_TIMEOUT",
    message: "the total timeout of the retry policy has passed",
    retryable: true,
    detailsJson: last === null ? "" : JSON.stringify({ lastError: { code: last.code, message: last.message } }),
  };
}
