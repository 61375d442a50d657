import { TaskState } from "#libs/tasks/task-state.js";
import { payloadContext, webhookContext } from "#libs/sealing/contexts.js";
import type { CachedTask } from "#task-service/store/sqlite/task-cache.js";
import type { Transaction } from "#task-service/store/sqlite/transaction.js";
import type { NewTask, TaskRecord } from "#task-service/store/task-record.js";

/** Inserts one task with its first event. */
export function insertTask(transaction: Transaction, task: NewTask): void {
  transaction.lastKey += 1;
  const key = transaction.lastKey;
  const isWaiting = task.runTimeMs > transaction.moment.nowMs;
  const webhook =
    task.webhookJson === null ? null : transaction.ring.sealText(task.webhookJson, webhookContext(task.id));
  transaction.statements.insertTask.run(
    key,
    task.id,
    task.type,
    task.queue,
    isWaiting ? 1 : 0,
    task.priority,
    transaction.ring.sealText(task.payloadJson, payloadContext(task.id)),
    task.labelsJson,
    task.description,
    task.maxAttempts,
    task.initialDelayMs,
    task.maximumDelayMs,
    task.multiplier,
    task.createTimeMs,
    task.createTimeMs,
    task.runTimeMs,
    task.softTimeoutMs,
    task.hardTimeoutMs,
    task.memoryBytes,
    task.totalTimeoutMs,
    deadlineOf(task),
    task.retryCodes === null ? null : JSON.stringify(task.retryCodes),
    task.unwatchedCancelMs,
    webhook,
    task.requestId,
    transaction.ring.mark(task.requestHash),
  );
  const entry: CachedTask = {
    task: freshRecord(task, key),
    labelsJson: task.labelsJson,
    webhook,
    isWaiting,
    isRunning: false,
    isDirty: false,
    recorded: { timeMs: 0, state: 0, attempt: 0 },
  };
  transaction.cache.set(task.id, entry);
  const { type, queue, runTimeMs } = task;
  const created = { kind: "created", type, queue, runTimeMs } as const;
  transaction.insertEvent(entry, created);
  transaction.tally.count(entry.task, created, false);
  transaction.announce(entry);
}

/** The record of a task that was just accepted, without its payload and webhook. */
function freshRecord(task: NewTask, key: number): TaskRecord {
  return {
    key,
    id: task.id,
    type: task.type,
    queue: task.queue,
    state: TaskState.PENDING,
    priority: task.priority,
    payloadJson: "",
    resultJson: null,
    error: null,
    labels: {},
    description: task.description,
    attempt: 0,
    uncountedAttempts: 0,
    maxAttempts: task.maxAttempts,
    initialDelayMs: task.initialDelayMs,
    maximumDelayMs: task.maximumDelayMs,
    multiplier: task.multiplier,
    reportNumber: 0,
    workerId: null,
    progress: null,
    createTimeMs: task.createTimeMs,
    updateTimeMs: task.createTimeMs,
    startTimeMs: null,
    endTimeMs: null,
    runTimeMs: task.runTimeMs,
    cancelRequestTimeMs: null,
    cancelReason: "",
    softTimeoutMs: task.softTimeoutMs,
    hardTimeoutMs: task.hardTimeoutMs,
    memoryBytes: task.memoryBytes,
    sequence: 1,
    workerLosses: 0,
    totalTimeoutMs: task.totalTimeoutMs,
    deadlineMs: deadlineOf(task),
    retryCodes: task.retryCodes,
    unwatchedCancelMs: task.unwatchedCancelMs,
    webhookJson: null,
    warnings: [],
    endedAttempt: null,
  };
}

function deadlineOf({ totalTimeoutMs, runTimeMs }: NewTask): number | null {
  return totalTimeoutMs ? runTimeMs + totalTimeoutMs : null;
}
