import type { Duration } from "#libs/proto/gen/google/protobuf/duration.js";
import type { Limits, RetryPolicy, Task, TaskError, Webhook } from "#libs/proto/gen/taskwire/v1/task.js";
import type { AttemptErrorFact } from "#libs/tasks/claim.js";
import type { RetryCodes } from "#libs/tasks/retry-policy.js";
import { TaskState } from "#libs/tasks/task-state.js";
import type { NewTask, TaskRecord } from "#task-service/store/task-record.js";

/** A stored task as clients see it. */
export function presentTask(record: TaskRecord): Task {
  return {
    id: record.id,
    type: record.type,
    queue: record.queue,
    state: record.state,
    priority: record.priority,
    payload: record.payloadJson === "" ? undefined : parseObject(record.payloadJson),
    result: record.resultJson === null ? undefined : (JSON.parse(record.resultJson) as unknown),
    error: record.error === null ? undefined : presentError(record.error),
    labels: { ...record.labels },
    description: record.description,
    attempt: record.attempt,
    maxAttempts: record.maxAttempts,
    progress: record.progress ?? undefined,
    createTime: new Date(record.createTimeMs),
    updateTime: new Date(record.updateTimeMs),
    startTime: dateOf(record.startTimeMs),
    endTime: dateOf(record.endTimeMs),
    runTime: new Date(record.runTimeMs),
    limits: presentLimits(record),
    sequence: record.sequence,
    workerId: record.workerId ?? "",
    cancelRequestTime: dateOf(record.cancelRequestTimeMs),
    retryPolicy: presentRetryPolicy(record),
    warnings: record.warnings.map(presentError),
    deadlineTime: dateOf(record.deadlineMs),
    cancelUnwatchedAfter: record.unwatchedCancelMs === null ? undefined : durationOf(record.unwatchedCancelMs),
    webhook: record.webhookJson === null ? undefined : (JSON.parse(record.webhookJson) as Webhook),
  };
}

/** A task that was accepted at this moment, from the request that made it: nothing needs to be read back. */
export function presentNewTask(task: NewTask, request: Task, isFull: boolean): Task {
  return {
    id: task.id,
    type: task.type,
    queue: task.queue,
    state: TaskState.PENDING,
    priority: task.priority,
    payload: isFull ? (request.payload ?? {}) : undefined,
    result: undefined,
    error: undefined,
    labels: request.labels,
    description: task.description,
    attempt: 0,
    maxAttempts: task.maxAttempts,
    progress: undefined,
    createTime: new Date(task.createTimeMs),
    updateTime: new Date(task.createTimeMs),
    startTime: undefined,
    endTime: undefined,
    runTime: new Date(task.runTimeMs),
    limits: presentLimits(task),
    sequence: 1,
    workerId: "",
    cancelRequestTime: undefined,
    retryPolicy: presentRetryPolicy(task),
    warnings: [],
    deadlineTime: task.totalTimeoutMs ? new Date(task.runTimeMs + task.totalTimeoutMs) : undefined,
    cancelUnwatchedAfter: task.unwatchedCancelMs === null ? undefined : durationOf(task.unwatchedCancelMs),
    webhook: isFull ? request.webhook : undefined,
  };
}

/** An error as clients see it. */
export function presentError(error: AttemptErrorFact): TaskError {
  const { code, message, retryable, detailsJson } = error;
  return { code, message, retryable, details: detailsJson === "" ? undefined : parseObject(detailsJson) };
}

function presentLimits(task: {
  softTimeoutMs: number;
  hardTimeoutMs: number;
  memoryBytes: number;
}): Limits | undefined {
  const { softTimeoutMs, hardTimeoutMs, memoryBytes } = task;
  if (softTimeoutMs === 0 && hardTimeoutMs === 0 && memoryBytes === 0) return undefined;
  return {
    softTimeout: softTimeoutMs === 0 ? undefined : durationOf(softTimeoutMs),
    hardTimeout: hardTimeoutMs === 0 ? undefined : durationOf(hardTimeoutMs),
    memoryBytes,
  };
}

function presentRetryPolicy(task: {
  readonly initialDelayMs: number | null;
  readonly maximumDelayMs: number | null;
  readonly multiplier: number;
  readonly totalTimeoutMs: number | null;
  readonly retryCodes: RetryCodes | null;
}): RetryPolicy | undefined {
  const { initialDelayMs, maximumDelayMs, multiplier, totalTimeoutMs, retryCodes } = task;
  const isUnset = initialDelayMs === null && maximumDelayMs === null && multiplier === 0;
  if (isUnset && totalTimeoutMs === null && retryCodes === null) return undefined;
  return {
    initialDelay: initialDelayMs === null ? undefined : durationOf(initialDelayMs),
    maximumDelay: maximumDelayMs === null ? undefined : durationOf(maximumDelayMs),
    multiplier,
    totalTimeout: totalTimeoutMs === null ? undefined : durationOf(totalTimeoutMs),
    retryableCodes: [...(retryCodes?.retryable ?? [])],
    permanentCodes: [...(retryCodes?.permanent ?? [])],
  };
}

function durationOf(ms: number): Duration {
  return { seconds: Math.floor(ms / 1000), nanos: (ms % 1000) * 1e6 };
}

function dateOf(ms: number | null): Date | undefined {
  return ms === null ? undefined : new Date(ms);
}

function parseObject(json: string): Record<string, unknown> {
  return JSON.parse(json) as Record<string, unknown>;
}
