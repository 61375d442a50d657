import type { Generated } from "kysely";

/** Tasks. STRICT; times in milliseconds since 1970; JSON as text; null means “not yet” or “nobody said”. */
export interface TasksTable {
  /** Row number, never reused. */
  key: number;
  id: string;
  type: string;
  queue: string;
  state: number;
  /** 1 while `run_time` is in the future: such a task is not due until upkeep clears it. */
  waiting: number;
  priority: number;
  payload: string;
  result: string | null;
  error: string | null;
  labels: string;
  description: string;
  attempt: number;
  uncounted_attempts: number;
  max_attempts: number;
  initial_delay: number | null;
  maximum_delay: number | null;
  multiplier: number;
  report_number: number;
  worker_id: string | null;
  progress: string | null;
  create_time: number;
  update_time: number;
  start_time: number | null;
  end_time: number | null;
  run_time: number;
  cancel_request_time: number | null;
  cancel_reason: string;
  soft_timeout: number;
  hard_timeout: number;
  memory_bytes: number;
  sequence: number;
  request_id: string | null;
  request_hash: string | null;
  /** JSON array of errors, or null: none. */
  warnings: string | null;
  worker_losses: number;
  total_timeout: number | null;
  deadline_time: number | null;
  /** JSON of `RetryCodes`. */
  retry_codes: string | null;
  /** Milliseconds without a watcher after which the task is cancelled; null: never. */
  unwatched_cancel: number | null;
  /** JSON of `Webhook` of libs/tasks; null: none. */
  webhook: string | null;
}

/**
 * Attempts that ended and were followed by something: a retry, a hand-back, another round, an end for another reason. The latest attempt of a
 * task that runs, or ended with its task, has no row: the task's own row tells of it, so that a task that succeeds at once costs none.
 */
export interface TaskAttemptsTable {
  task_key: number;
  number: number;
  worker_id: string;
  start_time: number;
  end_time: number;
  outcome: number;
  error: string | null;
}

/** The log. `body` is the encoded `taskwire.v1.TaskEvent`. */
export interface TaskEventsTable {
  revision: number;
  task_key: number;
  sequence: number;
  body: Uint8Array;
}

/** One row: counters that must never go back, even when the rows that carried them are deleted. */
export interface CountersTable {
  id: number;
  last_key: number;
  last_revision: number;
  /** Events up to here may have been deleted. */
  compacted_revision: Generated<number>;
}

/** One row per migration that ran. */
export interface MigrationsTable {
  name: string;
  time: number;
}

/** The database. */
export interface Database {
  tasks: TasksTable;
  task_events: TaskEventsTable;
  task_attempts: TaskAttemptsTable;
  counters: CountersTable;
  migrations: MigrationsTable;
}
