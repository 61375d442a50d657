import type { AttemptErrorFact, Claim, FailedClaim, StartedClaim } from "#libs/tasks/claim.js";
import { CancelPhase, type EventFact } from "#libs/tasks/event-fact.js";
import { DEFAULT_MAX_ATTEMPTS, DEFAULT_RETRY_POLICY, retryDelayMs } from "#libs/tasks/retry-policy.js";
import type { TaskFacts } from "#libs/tasks/task-facts.js";
import { isLegalMove, isTerminal, TaskState } from "#libs/tasks/task-state.js";

/** What decisions need besides the task: time and chance, handed in so that they can be fixed. */
export interface Moment {
  /** Milliseconds since 1970. */
  readonly nowMs: number;
  /** In [0, 1). */
  readonly random: () => number;
}

/** What became of a claim. */
export type ClaimVerdict =
  /** It is a fact now. */
  | "applied"
  /** It was applied before; nothing changed. */
  | "duplicate"
  /** The worker does not hold this attempt; nothing changed but, on a task that is not terminal, a record of it. */
  | "stale";

const UNKNOWN_FAILURE: AttemptErrorFact = {
  code: "HANDLER_ERROR",
  message: "the attempt failed",
  retryable: true,
  detailsJson: "",
};

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
    if (kind.$case === "cancelled" && kind.value.phase === CancelPhase.BEFORE_START) {
      endCancelled(task, CancelPhase.BEFORE_START, moment, events);
      return "applied";
    }
    start(task, workerId, kind.$case === "started" ? kind.value : undefined, claim.attempt, moment, events);
  }
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
    case "softLimitReached":
      events.push({ kind: "softLimitReached" });
      break;
    case "succeeded":
      move(task, TaskState.COMPLETED);
      task.endTimeMs = moment.nowMs;
      task.resultJson = kind.value.resultJson;
      task.error = null;
      events.push({ kind: "completed", resultJson: kind.value.resultJson, warnings: kind.value.warnings });
      break;
    case "failed":
      fail(task, kind.value, moment, events);
      break;
    case "cancelled":
      endCancelled(task, phaseOf(kind.value.phase), moment, events);
      break;
    case "released":
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

/** Ends the attempt of a worker that was not heard of for the lease time. The attempt counts; the next one is due at once. */
export function expireLease(
  task: TaskFacts,
  workerId: string,
  attempt: number,
  moment: Moment,
  events: EventFact[],
): boolean {
  if (task.state !== TaskState.RUNNING || task.attempt !== attempt || task.workerId !== workerId) return false;
  const message = `worker ${workerId} was not heard of within the lease time`;
  fail(
    task,
    { error: { code: "WORKER_LOST", message, retryable: true, detailsJson: "" }, retryAfterMs: 0 },
    moment,
    events,
  );
  return true;
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
  task.initialDelayMs ??= claim?.initialDelayMs ?? null;
  task.maximumDelayMs ??= claim?.maximumDelayMs ?? null;
  if (task.multiplier === 0) task.multiplier = claim?.multiplier ?? 0;
  events.push({ kind: "started", workerId, maxAttempts: task.maxAttempts });
}

function fail(task: TaskFacts, claim: FailedClaim, moment: Moment, events: EventFact[]): void {
  const error = claim.error ?? UNKNOWN_FAILURE;
  task.error = error;
  if (task.cancelRequestTimeMs !== null) {
    endCancelled(task, CancelPhase.COOPERATIVE, moment, events);
    return;
  }
  const counted = task.attempt - task.uncountedAttempts;
  if (!error.retryable || counted >= task.maxAttempts) {
    move(task, TaskState.FAILED);
    task.endTimeMs = moment.nowMs;
    events.push({ kind: "failed", error });
    return;
  }
  const policy = {
    initialDelayMs: task.initialDelayMs ?? DEFAULT_RETRY_POLICY.initialDelayMs,
    maximumDelayMs: task.maximumDelayMs ?? DEFAULT_RETRY_POLICY.maximumDelayMs,
    multiplier: task.multiplier || DEFAULT_RETRY_POLICY.multiplier,
  };
  move(task, TaskState.PENDING);
  task.runTimeMs = moment.nowMs + (claim.retryAfterMs ?? retryDelayMs(policy, counted, moment.random()));
  events.push({ kind: "retryScheduled", error, runTimeMs: task.runTimeMs });
}

function release(
  task: TaskFacts,
  claim: { reason: string; retryAfterMs: number },
  moment: Moment,
  events: EventFact[],
): void {
  task.uncountedAttempts += 1;
  if (task.cancelRequestTimeMs !== null) {
    endCancelled(task, CancelPhase.COOPERATIVE, moment, events);
    return;
  }
  move(task, TaskState.PENDING);
  task.runTimeMs = moment.nowMs + claim.retryAfterMs;
  events.push({ kind: "released", reason: claim.reason });
}

function endCancelled(task: TaskFacts, phase: CancelPhase, moment: Moment, events: EventFact[]): void {
  move(task, TaskState.CANCELLED);
  task.endTimeMs = moment.nowMs;
  task.cancelRequestTimeMs ??= moment.nowMs;
  events.push({ kind: "cancelled", phase, reason: task.cancelReason });
}

function recordStale(task: TaskFacts, workerId: string, claim: Claim, events: EventFact[]): ClaimVerdict {
  const endsOrBegins = ["started", "succeeded", "failed", "cancelled", "released"].includes(claim.kind?.$case ?? "");
  if (endsOrBegins && !isTerminal(task.state)) {
    events.push({ kind: "staleReportRejected", workerId, reportedAttempt: claim.attempt });
  }
  return "stale";
}

function move(task: TaskFacts, to: TaskState): void {
  if (!isLegalMove(task.state, to)) throw new Error(`task ${task.id} cannot go from state ${task.state} to ${to}`);
  task.state = to;
}

function phaseOf(phase: number): CancelPhase {
  return phase === CancelPhase.BEFORE_START || phase === CancelPhase.KILLED ? phase : CancelPhase.COOPERATIVE;
}
