import { TaskState } from "#libs/tasks/task-state.js";
import { payloadContext } from "#libs/sealing/contexts.js";
import { openRow } from "#task-service/store/sealed-row.js";
import type { CachedTask } from "#task-service/store/sqlite/task-cache.js";
import type { Transaction } from "#task-service/store/sqlite/transaction.js";
import { recordOf } from "#task-service/store/task-columns.js";
import type { NewTask, TaskRecord } from "#task-service/store/task-record.js";
import type { WriteResults } from "#task-service/store/write-command.js";

/**
 * Inserts tasks with their first events, all or none. Requests that were made before give the task of then. `mustExist`: only those are
 * meant, nothing is inserted.
 */
export function createTasks(
  transaction: Transaction,
  tasks: readonly NewTask[],
  mustExist = false,
): WriteResults["create"] {
  const existing: (TaskRecord | null)[] = [];
  const requestIds = new Set<string>();
  for (const [index, task] of tasks.entries()) {
    const { requestId } = task;
    const row = requestId === null ? undefined : transaction.statements.selectByRequestId.get(requestId);
    const isRepeatedInBatch = requestId !== null && requestIds.has(requestId);
    if (isRepeatedInBatch || (row !== undefined && !transaction.ring.isMarkOf(row.request_hash, task.requestHash))) {
      return { kind: "requestIdReused", index };
    }
    if (requestId !== null) requestIds.add(requestId);
    existing.push(row === undefined ? null : recordOf(openRow(row, transaction.ring)));
  }
  if (mustExist && existing.includes(null)) return { kind: "missing" };
  const full = fullQueue(
    transaction,
    tasks.filter((_, index) => existing[index] === null),
  );
  if (full !== undefined) return { kind: "queueFull", queue: full };
  const firstKey = transaction.lastKey + 1;
  for (const [index, task] of tasks.entries()) if (existing[index] === null) insert(transaction, task);
  return { kind: "created", existing, firstKey };
}

/** The first queue that has no room for all of these tasks. */
function fullQueue(transaction: Transaction, tasks: readonly NewTask[]): string | undefined {
  const asked = new Map<string, number>();
  for (const { queue } of tasks) asked.set(queue, (asked.get(queue) ?? 0) + 1);
  for (const [queue, count] of asked) if (!transaction.hasRoom(queue, count)) return queue;
  return undefined;
}

function insert(transaction: Transaction, task: NewTask): void {
  transaction.lastKey += 1;
  const key = transaction.lastKey;
  const isWaiting = task.runTimeMs > transaction.moment.nowMs;
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
    task.requestId,
    transaction.ring.mark(task.requestHash),
  );
  const entry: CachedTask = {
    task: freshRecord(task, key),
    labelsJson: task.labelsJson,
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

/** The record of a task that was just accepted, without its payload. */
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
    warnings: [],
    endedAttempt: null,
  };
}

function deadlineOf({ totalTimeoutMs, runTimeMs }: NewTask): number | null {
  return totalTimeoutMs ? runTimeMs + totalTimeoutMs : null;
}
