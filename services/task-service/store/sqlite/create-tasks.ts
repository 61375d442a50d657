import { openRow } from "#task-service/store/sealed-row.js";
import { insertTask } from "#task-service/store/sqlite/insert-task.js";
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
  for (const [index, task] of tasks.entries()) if (existing[index] === null) insertTask(transaction, task);
  return { kind: "created", existing, firstKey };
}

/** The first queue that has no room for all of these tasks. */
function fullQueue(transaction: Transaction, tasks: readonly NewTask[]): string | undefined {
  const asked = new Map<string, number>();
  for (const { queue } of tasks) asked.set(queue, (asked.get(queue) ?? 0) + 1);
  for (const [queue, count] of asked) if (!transaction.hasRoom(queue, count)) return queue;
  return undefined;
}
