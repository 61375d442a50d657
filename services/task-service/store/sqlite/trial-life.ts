import { ReportBatch } from "#libs/proto/gen/taskwire/bus/v1/report.js";
import { UuidSource } from "#libs/tasks/uuid.js";
import { applyBatches } from "#task-service/store/sqlite/apply-batches.js";
import { createTasks } from "#task-service/store/sqlite/create-tasks.js";
import type { Transaction } from "#task-service/store/sqlite/transaction.js";
import type { NewTask } from "#task-service/store/task-record.js";

const NAME = "taskwire.trial";
const TRIAL: Omit<NewTask, "id" | "createTimeMs" | "runTimeMs"> = {
  type: NAME,
  queue: NAME,
  priority: 0,
  payloadJson: "{}",
  labelsJson: "{}",
  description: "",
  maxAttempts: 1,
  initialDelayMs: null,
  maximumDelayMs: null,
  multiplier: 0,
  totalTimeoutMs: null,
  retryCodes: null,
  softTimeoutMs: 0,
  hardTimeoutMs: 0,
  memoryBytes: 0,
  unwatchedCancelMs: null,
  webhookJson: null,
  requestId: null,
  requestHash: null,
};
const REPORTS = [
  { number: 1, kind: { $case: "started", value: {} } },
  { number: 2, kind: { $case: "succeeded", value: { resultJson: "null" } } },
] as const;

const ids = new UuidSource();

/**
 * Takes a made-up task from its create to its end, which writes to every page of the database that the reports of all tasks write to. The
 * transaction must be rolled back. Throws what the database throws.
 */
export function liveTrialLife(transaction: Transaction): void {
  const { nowMs } = transaction.moment;
  const taskId = ids.next().id;
  createTasks(transaction, [{ ...TRIAL, id: taskId, createTimeMs: nowMs, runTimeMs: nowMs }]);
  const reports = REPORTS.map((report) => ({ ...report, taskId, attempt: 1 }));
  const batch = ReportBatch.fromPartial({ workerId: NAME, number: 1, reports });
  applyBatches(transaction, [ReportBatch.encode(batch).finish()]);
  transaction.flush();
}
