import type { AttemptRecord, TaskRecord } from "#task-service/store/task-record.js";

/** An event as it is stored. */
export interface StoredEvent {
  readonly revision: number;
  readonly sequence: number;
  readonly body: Uint8Array;
}

/** A task with all that is stored about it, from one snapshot. */
export interface StoredHistory {
  /** The row's id. */
  readonly id: string;
  /** Undefined: the row cannot be read. */
  readonly task: TaskRecord | undefined;
  /** Can be gone through once. */
  readonly events: Iterable<StoredEvent>;
  /** Undefined: at least one row cannot be read. */
  readonly attempts: readonly AttemptRecord[] | undefined;
}

/** Rows whose task is not there. */
export interface OrphanRows {
  readonly table: "task_events" | "task_attempts";
  readonly taskKey: number;
  readonly count: number;
}

/** A database as `taskwire verify` reads it: never written, while the service may go on writing it. */
export interface VerificationSource {
  /** Tasks created before this did not record all attempts, as the version of then did not know how. */
  readonly attemptsSinceMs: number;
  /** What the database itself finds wrong with its file, in its words; at most 100. */
  checkFile(options: { readonly isQuick: boolean }): readonly string[];
  /** How many rows of counters there are; one is right. */
  countCounters(): number;
  /**
   * Visits tasks in the order of creation, a chunk of them in one read transaction. Returns the key after which the next chunk begins;
   * null: there are no more.
   */
  visitTasks(afterKey: number, visit: (history: StoredHistory) => void): number | null;
  /** Events and attempts whose task is not there. */
  orphans(): Iterable<OrphanRows>;
  close(): void;
}
