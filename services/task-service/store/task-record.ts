import type { AttemptErrorFact } from "#libs/tasks/claim.js";
import type { RetryCodes } from "#libs/tasks/retry-policy.js";
import type { AttemptOutcome, TaskFacts } from "#libs/tasks/task-facts.js";

/** A stored task. Times are milliseconds since 1970, spans milliseconds; 0 limits mean “not set”. */
export interface TaskRecord extends TaskFacts {
  /** Row number: rises in the order of creation. */
  readonly key: number;
  readonly type: string;
  readonly queue: string;
  readonly priority: number;
  /** JSON object as text; empty when it was not asked for. */
  readonly payloadJson: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly description: string;
  readonly createTimeMs: number;
  updateTimeMs: number;
  sequence: number;
  readonly softTimeoutMs: number;
  readonly hardTimeoutMs: number;
  readonly memoryBytes: number;
  /** Time without a watcher after which the task is cancelled; null: never. */
  readonly unwatchedCancelMs: number | null;
  /** JSON of `Webhook`; null: none, or it was not asked for. */
  readonly webhookJson: string | null;
}

/** A task about to be accepted. */
export interface NewTask {
  readonly id: string;
  readonly type: string;
  readonly queue: string;
  readonly priority: number;
  readonly payloadJson: string;
  readonly labelsJson: string;
  readonly description: string;
  readonly maxAttempts: number;
  readonly initialDelayMs: number | null;
  readonly maximumDelayMs: number | null;
  readonly multiplier: number;
  /** Null: the handler's own setting. */
  readonly totalTimeoutMs: number | null;
  readonly retryCodes: RetryCodes | null;
  readonly createTimeMs: number;
  readonly runTimeMs: number;
  readonly softTimeoutMs: number;
  readonly hardTimeoutMs: number;
  readonly memoryBytes: number;
  /** Time without a watcher after which the task is cancelled; null: never. */
  readonly unwatchedCancelMs: number | null;
  /** JSON of `Webhook`, or null. */
  readonly webhookJson: string | null;
  /** Idempotency key, or null. */
  readonly requestId: string | null;
  /** Hash of everything the client asked for; compared when the same request id comes again. */
  readonly requestHash: string | null;
}

/** One attempt of a task. */
export interface AttemptRecord {
  readonly number: number;
  readonly workerId: string;
  readonly startTimeMs: number;
  /** Null: it runs. */
  readonly endTimeMs: number | null;
  readonly outcome: AttemptOutcome;
  readonly error: AttemptErrorFact | null;
}

/** What dispatch orders tasks by: priority (higher first), then run time, then age. */
export interface DispatchKey {
  readonly priority: number;
  readonly runTimeMs: number;
  readonly key: number;
}

/** A due task as dispatch needs it. */
export interface DueTask extends DispatchKey {
  readonly id: string;
  readonly type: string;
  readonly queue: string;
  /** Number of the latest attempt; the next one is dispatched. */
  readonly attempt: number;
  /** Sequence of its latest event. */
  readonly sequence: number;
  /** How many workers in a row were lost while they ran it. */
  readonly workerLosses: number;
  readonly payloadJson: string;
  /** Its payload cannot be opened for want of the key of this id; empty: it is broken. Such a task waits. */
  readonly lockedBy?: string;
  readonly maxAttempts: number;
  readonly softTimeoutMs: number;
  readonly hardTimeoutMs: number;
  readonly memoryBytes: number;
}

/** An attempt that a worker holds. */
export interface RunningTask {
  readonly id: string;
  readonly queue: string;
  readonly type: string;
  readonly attempt: number;
  readonly workerId: string;
  readonly workerLosses: number;
  readonly isCancelRequested: boolean;
  readonly cancelReason: string;
}

/** An unfinished task that is cancelled when nobody has watched it for `afterMs`. */
export interface UnwatchedCancel {
  readonly key: number;
  readonly id: string;
  readonly afterMs: number;
}

/** A task that waits for an attempt beyond its deadline. */
export interface OverdueTask {
  readonly key: number;
  readonly id: string;
  readonly queue: string;
  /** Number of the latest attempt. */
  readonly attempt: number;
  readonly deadlineMs: number;
}
