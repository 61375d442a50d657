import type { AttemptErrorFact, ProgressFact } from "#libs/tasks/claim.js";
import type { TaskState } from "#libs/tasks/task-state.js";

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
}
