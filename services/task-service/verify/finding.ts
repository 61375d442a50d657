/** What can be wrong; stable words for programs. */
export type FindingKind =
  /** SQLite's own check of the file. */
  | "integrity"
  /** The row of counters is not there, or not a single one. */
  | "counters"
  /** A row, an event or an attempt cannot be read. */
  | "unreadable"
  /** An event is missing between two others, or at the beginning. */
  | "gap"
  /** The task's sequence is not that of its last event. */
  | "sequence"
  /** A later event has no higher revision. */
  | "revision"
  /** An event names another task, sequence or revision than its row. */
  | "misplaced-event"
  | "illegal-move"
  | "illegal-event"
  | "event-differs"
  /** The task's row is not what its events add up to. */
  | "task-differs"
  | "attempt-missing"
  | "attempt-differs"
  /** An attempt that no event tells of. */
  | "attempt-surplus"
  /** Events or attempts of a task that is not there. */
  | "orphan-events"
  | "orphan-attempts";

/** One thing that is wrong. Payloads, results and messages of errors are never quoted. */
export interface Finding {
  readonly kind: FindingKind;
  /** Null: it is not about one task. */
  readonly taskId: string | null;
  /** What differs, for example `state` or `event 7`. */
  readonly what: string;
  readonly expected: string;
  readonly found: string;
}
