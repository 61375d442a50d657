import { isTerminalFact, type EventFact } from "#libs/tasks/event-fact.js";
import { webhookContext } from "#libs/sealing/contexts.js";
import { UuidSource } from "#libs/tasks/uuid.js";
import { webhookDelivery } from "#libs/tasks/webhook.js";
import { insertTask } from "#task-service/store/sqlite/insert-task.js";
import type { CachedTask } from "#task-service/store/sqlite/task-cache.js";
import type { Transaction } from "#task-service/store/sqlite/transaction.js";

const ids = new UuidSource();

/** Records what happened to a task. If that was its end, and somebody asked to be told, the delivery is part of the same transaction. */
export function recordFacts(transaction: Transaction, entry: CachedTask, facts: readonly EventFact[]): void {
  transaction.record(entry, facts);
  if (entry.webhook !== null && facts.some(isTerminalFact)) insertDelivery(transaction, entry, entry.webhook);
}

/** A full queue does not refuse it: an end must be committed, whoever is told of it. */
function insertDelivery(transaction: Transaction, entry: CachedTask, webhook: string): void {
  const { moment, webhookQueue } = transaction;
  const { task, labelsJson } = entry;
  const delivery = webhookDelivery(
    { ...task, labelsJson, endTimeMs: task.endTimeMs ?? moment.nowMs },
    openWebhook(transaction, task.id, webhook),
  );
  if (delivery === undefined) return;
  const { id, timeMs } = ids.next();
  insertTask(transaction, {
    id,
    queue: webhookQueue === "" ? task.queue : webhookQueue,
    priority: task.priority,
    maxAttempts: 0,
    initialDelayMs: null,
    maximumDelayMs: null,
    multiplier: 0,
    totalTimeoutMs: null,
    retryCodes: null,
    createTimeMs: timeMs,
    // Due at once, also if the clock has moved on since the transaction began.
    runTimeMs: Math.min(timeMs, moment.nowMs),
    softTimeoutMs: 0,
    hardTimeoutMs: 0,
    memoryBytes: 0,
    unwatchedCancelMs: null,
    webhookJson: null,
    requestHash: null,
    ...delivery,
  });
}

/** What was asked for; undefined: the key that it is sealed with is not here, or it was altered. */
function openWebhook({ ring }: Transaction, taskId: string, webhook: string): string | undefined {
  try {
    return ring.openText(webhook, webhookContext(taskId));
  } catch {
    return undefined;
  }
}
