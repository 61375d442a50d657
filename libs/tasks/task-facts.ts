import type { AttemptErrorFact, ProgressFact } from "#libs/tasks/claim.js";
import type { RetryCodes } from "#libs/tasks/retry-policy.js";
import type { TaskState } from "#libs/tasks/task-state.js";

/** How attempts end; the numbers are those of `taskwire.v1.TaskAttempt.Outcome`. */
export const AttemptOutcome = { RUNNING: 1, SUCCEEDED: 2, FAILED: 3, CANCELLED: 4, RELEASED: 5, LOST: 6 } as const;

/** One of the values of {@link AttemptOutcome}. */
export type AttemptOutcome = (typeof AttemptOutcome)[keyof typeof AttemptOutcome];

/** The end of the latest attempt. */
export interface EndedAttempt {
  readonly outcome: AttemptOutcome;
  readonly error: AttemptErrorFact;
}

/**
 * The part of a task that reports, cancels and lost leases change. Decisions edit it in place; the store writes it back.
 * Times are milliseconds since 1970.
 */
export interface TaskFacts {
  readonly id: string;
  state: TaskState;
  /** Number of the latest attempt; 0 before the first. It only rises: it fences everything said about an attempt. */
  attempt: number;
  /** Attempts that were handed back and do not count against `maxAttempts`. */
  uncountedAttempts: number;
  /** 0: nobody decided yet. */
  maxAttempts: number;
  /** Retry settings; null or 0: nobody decided yet. */
  initialDelayMs: number | null;
  maximumDelayMs: number | null;
  multiplier: number;
  /** Time from when the task was due to {@link deadlineMs}; 0: there is no deadline; null: nobody decided yet. */
  totalTimeoutMs: number | null;
  /** No attempt starts after this; null: there is no such time. */
  deadlineMs: number | null;
  /** Which error codes are retried; null: nobody decided yet. */
  retryCodes: RetryCodes | null;
  /** How many of the latest attempts in a row ended because their worker was lost. */
  workerLosses: number;
  /** The last report of the latest attempt that was applied. */
  reportNumber: number;
  workerId: string | null;
  runTimeMs: number;
  startTimeMs: number | null;
  endTimeMs: number | null;
  cancelRequestTimeMs: number | null;
  cancelReason: string;
  progress: ProgressFact | null;
  resultJson: string | null;
  error: AttemptErrorFact | null;
  warnings: readonly AttemptErrorFact[];
  /** Set by a decision that ended an attempt in a way the other fields do not tell; the store records it and sets it to null. */
  endedAttempt: EndedAttempt | null;
}
