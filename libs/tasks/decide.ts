import { endCancelled, fail, move, release } from "#libs/tasks/attempt-outcome.js";
import type { Claim, StartedClaim } from "#libs/tasks/claim.js";
import { CancelPhase, type EventFact } from "#libs/tasks/event-fact.js";
import type { Moment } from "#libs/tasks/moment.js";
import { DEFAULT_MAX_ATTEMPTS } from "#libs/tasks/retry-policy.js";
import type { TaskFacts } from "#libs/tasks/task-facts.js";
import { isTerminal, TaskState } from "#libs/tasks/task-state.js";

/** What became of a claim. */
export type ClaimVerdict =
  /** It is a fact now. */
  | "applied"
  /** It was applied before; nothing changed. */
  | "duplicate"
  /** The worker does not hold this attempt; nothing changed but, on a task that is not terminal, a record of it. */
  | "stale";

/** Applies what a worker says to a task: edits `task` in place and adds the events to `events`. */
export function applyClaim(
  task: TaskFacts,
  workerId: string,
  claim: Claim,
  moment: Moment,
  events: EventFact[],
): ClaimVerdict {
  const kind = claim.kind;
  if (kind === undefined) return "duplicate";
  const holds = claim.attempt === task.attempt && workerId === task.workerId;
  if (holds && claim.number <= task.reportNumber) return "duplicate";
  if (!(holds && task.state === TaskState.RUNNING)) {
    // A later report of an attempt whose `started` was lost with NATS' storage begins the attempt as well.
    const begins = task.state === TaskState.PENDING && claim.attempt === task.attempt + 1;
    if (!begins) return recordStale(task, workerId, claim, events);
    start(task, workerId, kind.$case === "started" ? kind.value : undefined, claim.attempt, moment, events);
  } else if (kind.$case === "started") return "duplicate";
  task.reportNumber = claim.number;
  switch (kind.$case) {
    case "started":
      break;
    case "progress":
      task.progress = kind.value;
      events.push({ kind: "progress", progress: kind.value });
      break;
    case "log":
      events.push({ kind: "log", ...kind.value });
      break;
    case "output":
      events.push({ kind: "output", ...kind.value });
      break;
    case "cancelDelivered":
      events.push({ kind: "cancelDelivered", workerId });
      break;
    case "cancelAcknowledged":
      events.push({ kind: "cancelAcknowledged" });
      break;
    case "cancelGraceExpired":
      events.push({ kind: "cancelGraceExpired", graceMs: kind.value.graceMs });
      break;
    case "softLimitReached":
      events.push({ kind: "softLimitReached" });
      break;
    case "succeeded":
      move(task, TaskState.COMPLETED);
      task.endTimeMs = moment.nowMs;
      task.resultJson = kind.value.resultJson;
      task.error = null;
      task.warnings = kind.value.warnings;
      task.workerLosses = 0;
      events.push({ kind: "completed", resultJson: kind.value.resultJson, warnings: kind.value.warnings });
      break;
    case "failed":
      task.workerLosses = 0;
      fail(task, kind.value, moment, events);
      break;
    case "cancelled":
      task.workerLosses = 0;
      cancelled(task, phaseOf(kind.value.phase), moment, events);
      break;
    case "released":
      task.workerLosses = 0;
      release(task, kind.value, moment, events);
      break;
  }
  return "applied";
}

/**
 * Asks for a cancel. `mayBeWithWorker`: the task was dispatched, so a PENDING one may be starting at this moment and only the worker,
 * or the certainty that none took it, can end it.
 */
export function requestCancel(
  task: TaskFacts,
  reason: string,
  mayBeWithWorker: boolean,
  moment: Moment,
  events: EventFact[],
): "accepted" | "repeated" | "finished" {
  if (task.state === TaskState.CANCELLED) return "repeated";
  if (isTerminal(task.state)) return "finished";
  const isRepeated = task.cancelRequestTimeMs !== null;
  if (!isRepeated) {
    task.cancelRequestTimeMs = moment.nowMs;
    task.cancelReason = reason;
    events.push({ kind: "cancelRequested", reason });
  }
  if (task.state === TaskState.PENDING && !mayBeWithWorker)
    endCancelled(task, CancelPhase.BEFORE_START, moment, events);
  return isRepeated ? "repeated" : "accepted";
}

function start(
  task: TaskFacts,
  workerId: string,
  claim: StartedClaim | undefined,
  attempt: number,
  moment: Moment,
  events: EventFact[],
): void {
  move(task, TaskState.RUNNING);
  task.attempt = attempt;
  task.workerId = workerId;
  task.reportNumber = 0;
  task.startTimeMs = moment.nowMs;
  task.progress = null;
  if (task.maxAttempts === 0) task.maxAttempts = claim?.maxAttempts || DEFAULT_MAX_ATTEMPTS;
  if (claim !== undefined) takeOverPolicy(task, claim);
  events.push({ kind: "started", workerId, maxAttempts: task.maxAttempts });
}

/** Fills what the task's creator left open with the handler's own settings. */
function takeOverPolicy(task: TaskFacts, claim: StartedClaim): void {
  task.initialDelayMs ??= claim.initialDelayMs ?? null;
  task.maximumDelayMs ??= claim.maximumDelayMs ?? null;
  if (task.multiplier === 0) task.multiplier = claim.multiplier;
  if (task.totalTimeoutMs === null && claim.totalTimeoutMs !== undefined) {
    task.totalTimeoutMs = claim.totalTimeoutMs;
    task.deadlineMs = claim.totalTimeoutMs === 0 ? null : task.runTimeMs + claim.totalTimeoutMs;
  }
  const { retryableCodes: retryable, permanentCodes: permanent } = claim;
  if (task.retryCodes === null && retryable.length + permanent.length > 0) task.retryCodes = { retryable, permanent };
}

/** A worker can stop an attempt for a cancel that nobody asked for in this round of attempts: RetryTask came in between. */
function cancelled(task: TaskFacts, phase: CancelPhase, moment: Moment, events: EventFact[]): void {
  if (task.cancelRequestTimeMs !== null) endCancelled(task, phase, moment, events);
  else release(task, { reason: "stopped for an old cancel", retryAfterMs: 0, code: "WORKER_SHUTDOWN" }, moment, events);
}

function recordStale(task: TaskFacts, workerId: string, claim: Claim, events: EventFact[]): ClaimVerdict {
  const endsOrBegins = ["started", "succeeded", "failed", "cancelled", "released"].includes(claim.kind?.$case ?? "");
  if (endsOrBegins && !isTerminal(task.state)) {
    events.push({ kind: "staleAttemptRejected", workerId, reportedAttempt: claim.attempt });
  }
  return "stale";
}

function phaseOf(phase: number): CancelPhase {
  return phase === CancelPhase.BEFORE_START || phase === CancelPhase.KILLED ? phase : CancelPhase.COOPERATIVE;
}
