import type { TaskState } from "#libs/tasks/task-state.js";

/** What the events of a task say about it. Times are milliseconds since 1970. */
export interface ReplayedTask {
  /** Null before the first event. */
  state: TaskState | null;
  type: string;
  queue: string;
  attempt: number;
  /** Attempts that do not count against `maxAttempts`. */
  uncountedAttempts: number;
  /** Null: the events do not tell, as a worker can answer a cancel in more than one way. */
  workerLosses: number | null;
  /** Null: no attempt has started, so no event tells it. */
  maxAttempts: number | null;
  workerId: string | null;
  /** Null: no event tells it. */
  runTimeMs: number | null;
  startTimeMs: number | null;
  endTimeMs: number | null;
  cancelRequestTimeMs: number | null;
  cancelReason: string;
  progress: unknown;
  error: ReplayedError | null;
  result: ReplayedResult;
  warnings: readonly ReplayedError[];
  readonly attempts: ReplayedAttempt[];
}

/** An error as an event tells it. */
export interface ReplayedError {
  readonly code: string;
  readonly message: string;
  readonly retryable: boolean;
  /** A JSON object; undefined: none. */
  readonly details: unknown;
}

/** What is known of a result. */
export type ReplayedResult =
  | { readonly kind: "none" }
  | { readonly kind: "told"; readonly value: unknown }
  /** It was left out of its event for its size. */
  | { readonly kind: "omitted" }
  /** Its event could not be read. */
  | { readonly kind: "unreadable" };

/** How an attempt ended; the words of `taskwire.v1.TaskAttempt.Outcome`. */
export type ReplayedOutcome = "RUNNING" | "SUCCEEDED" | "FAILED" | "CANCELLED" | "RELEASED" | "LOST";

/** One attempt as the events tell it. */
export interface ReplayedAttempt extends AttemptEnd {
  readonly number: number;
  readonly workerId: string;
  readonly startTimeMs: number;
  /** Null: it runs. */
  endTimeMs: number | null;
}

/** How an attempt ended. */
export interface AttemptEnd {
  outcome: ReplayedOutcome;
  /** Null: it runs or has succeeded. */
  errorCode: string | null;
}

/** Something about an event that cannot be, given those before it. */
export interface ReplayFault {
  readonly kind: "illegal-move" | "illegal-event" | "event-differs";
  readonly sequence: number;
  /** What of the event, for example `attempt of started`. */
  readonly what: string;
  readonly expected: string;
  readonly found: string;
}

/** A task of which nothing is known yet. */
export function blankTask(): ReplayedTask {
  return {
    state: null,
    type: "",
    queue: "",
    attempt: 0,
    uncountedAttempts: 0,
    workerLosses: 0,
    maxAttempts: null,
    workerId: null,
    runTimeMs: null,
    startTimeMs: null,
    endTimeMs: null,
    cancelRequestTimeMs: null,
    cancelReason: "",
    progress: null,
    error: null,
    result: { kind: "none" },
    warnings: [],
    attempts: [],
  };
}
