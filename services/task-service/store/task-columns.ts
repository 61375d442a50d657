import type { AttemptErrorFact, ProgressFact } from "#libs/tasks/claim.js";
import type { RetryCodes } from "#libs/tasks/retry-policy.js";
import type { TaskState } from "#libs/tasks/task-state.js";
import type { TasksTable } from "#task-service/store/schema.js";
import type { TaskRecord } from "#task-service/store/task-record.js";

/** The columns of a task without its payload, result, warnings and webhook. */
export const BASIC_COLUMNS = [
  "key",
  "id",
  "type",
  "queue",
  "state",
  "waiting",
  "priority",
  "error",
  "labels",
  "description",
  "attempt",
  "uncounted_attempts",
  "max_attempts",
  "initial_delay",
  "maximum_delay",
  "multiplier",
  "report_number",
  "worker_id",
  "progress",
  "create_time",
  "update_time",
  "start_time",
  "end_time",
  "run_time",
  "cancel_request_time",
  "cancel_reason",
  "soft_timeout",
  "hard_timeout",
  "memory_bytes",
  "sequence",
  "worker_losses",
  "total_timeout",
  "deadline_time",
  "retry_codes",
  "unwatched_cancel",
] as const satisfies readonly (keyof TasksTable)[];

/** All columns of a task that a reader is shown. */
export const FULL_COLUMNS = [
  ...BASIC_COLUMNS,
  "payload",
  "result",
  "warnings",
  "webhook",
] as const satisfies readonly (keyof TasksTable)[];

/** A row with or without payload, result, warnings and webhook. */
export type TaskRow = Pick<TasksTable, (typeof BASIC_COLUMNS)[number]> &
  Partial<Pick<TasksTable, "payload" | "result" | "warnings" | "webhook">>;

/** A stored row as a record. */
export function recordOf(row: TaskRow): TaskRecord {
  return {
    key: row.key,
    id: row.id,
    type: row.type,
    queue: row.queue,
    state: row.state as TaskState,
    priority: row.priority,
    payloadJson: row.payload ?? "",
    resultJson: row.result ?? null,
    error: row.error === null ? null : (JSON.parse(row.error) as AttemptErrorFact),
    labels: JSON.parse(row.labels) as Record<string, string>,
    description: row.description,
    attempt: row.attempt,
    uncountedAttempts: row.uncounted_attempts,
    maxAttempts: row.max_attempts,
    initialDelayMs: row.initial_delay,
    maximumDelayMs: row.maximum_delay,
    multiplier: row.multiplier,
    reportNumber: row.report_number,
    workerId: row.worker_id,
    progress: row.progress === null ? null : (JSON.parse(row.progress) as ProgressFact),
    createTimeMs: row.create_time,
    updateTimeMs: row.update_time,
    startTimeMs: row.start_time,
    endTimeMs: row.end_time,
    runTimeMs: row.run_time,
    cancelRequestTimeMs: row.cancel_request_time,
    cancelReason: row.cancel_reason,
    softTimeoutMs: row.soft_timeout,
    hardTimeoutMs: row.hard_timeout,
    memoryBytes: row.memory_bytes,
    sequence: row.sequence,
    workerLosses: row.worker_losses,
    totalTimeoutMs: row.total_timeout,
    deadlineMs: row.deadline_time,
    retryCodes: row.retry_codes === null ? null : (JSON.parse(row.retry_codes) as RetryCodes),
    unwatchedCancelMs: row.unwatched_cancel,
    webhookJson: row.webhook ?? null,
    warnings: row.warnings ? (JSON.parse(row.warnings) as AttemptErrorFact[]) : [],
    endedAttempt: null,
  };
}
