import { endCancelled, endFailed, fail, move, totalTimeout } from "#libs/tasks/attempt-outcome.js";
import { CancelPhase, type EventFact } from "#libs/tasks/event-fact.js";
import type { Moment } from "#libs/tasks/moment.js";
import { AttemptOutcome, type TaskFacts } from "#libs/tasks/task-facts.js";
import { isTerminal, TaskState } from "#libs/tasks/task-state.js";

/** An attempt whose worker was not heard of. */
export interface LostAttempt {
  readonly workerId: string;
  readonly attempt: number;
}

/**
 * Ends the attempt of a worker that was not heard of for the lease time. The attempt counts; the next one is due at once. A task that
 * lost `poisonLosses` workers in a row ends FAILED (`POISONED`). Returns whether the task was still with that worker.
 */
export function expireLease(
  task: TaskFacts,
  lost: LostAttempt,
  poisonLosses: number,
  moment: Moment,
  events: EventFact[],
): boolean {
  const { workerId, attempt } = lost;
  if (task.state !== TaskState.RUNNING || task.attempt !== attempt || task.workerId !== workerId) return false;
  task.workerLosses += 1;
  const message = `worker ${workerId} was not heard of within the lease time`;
  const error = { code: "WORKER_LOST", message, retryable: true, detailsJson: "" };
  if (task.workerLosses >= poisonLosses && task.cancelRequestTimeMs === null) {
    task.endedAttempt = { outcome: AttemptOutcome.LOST, error };
    const why = `${task.workerLosses} workers in a row were lost while they ran this task`;
    endFailed(task, { code: "POISONED", message: why, retryable: false, detailsJson: "" }, moment, events);
    return true;
  }
  fail(task, { error, retryAfterMs: 0 }, moment, events);
  return true;
}

/**
 * Ends a task that waits for an attempt beyond its deadline: CANCELLED if that was asked for, else FAILED. `isUntaken`: it is certain that
 * no worker was handed the next attempt. Returns whether it did.
 */
export function expireDeadline(task: TaskFacts, isUntaken: boolean, moment: Moment, events: EventFact[]): boolean {
  if (task.state !== TaskState.PENDING || task.deadlineMs === null || task.deadlineMs > moment.nowMs) return false;
  if (task.cancelRequestTimeMs !== null) return endAskedCancel(task, isUntaken, moment, events);
  if (!isUntaken) useUpNext(task);
  endFailed(task, totalTimeout(task.error), moment, events);
  return true;
}

/**
 * Ends a PENDING task whose cancel was asked for. `isUntaken`: it is certain that no worker was handed the next attempt; otherwise one may
 * have been that was not heard of. Returns whether it did.
 */
export function endAskedCancel(task: TaskFacts, isUntaken: boolean, moment: Moment, events: EventFact[]): boolean {
  if (task.state !== TaskState.PENDING || task.cancelRequestTimeMs === null) return false;
  if (!isUntaken) useUpNext(task);
  endCancelled(task, isUntaken ? CancelPhase.BEFORE_START : CancelPhase.WORKER_LOST, moment, events);
  return true;
}

/** Uses up the number of an attempt that a worker may have, uncounted: should the task be opened again, nothing fits two attempts. */
function useUpNext(task: TaskFacts): void {
  task.attempt += 1;
  task.uncountedAttempts += 1;
  task.startTimeMs = null;
  task.reportNumber = 0;
}

/** Whether a task in this state can be opened again. */
export function isReopenable(state: TaskState): boolean {
  return state === TaskState.FAILED || state === TaskState.CANCELLED;
}

/**
 * Opens a FAILED or CANCELLED task again for a new round of attempts: due now, the count and a total timeout begin anew, attempts go on
 * being numbered. The error stays until there is news.
 */
export function reopen(task: TaskFacts, moment: Moment, events: EventFact[]): "reopened" | "notFinished" | "completed" {
  if (!isTerminal(task.state)) return "notFinished";
  if (task.state === TaskState.COMPLETED) return "completed";
  move(task, TaskState.PENDING);
  task.uncountedAttempts = task.attempt;
  task.workerLosses = 0;
  task.endTimeMs = null;
  task.cancelRequestTimeMs = null;
  task.cancelReason = "";
  task.runTimeMs = moment.nowMs;
  task.deadlineMs = task.totalTimeoutMs ? moment.nowMs + task.totalTimeoutMs : null;
  events.push({ kind: "reopened", runTimeMs: task.runTimeMs });
  return "reopened";
}
