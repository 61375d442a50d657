import { ReportBatch, type Report } from "#libs/proto/gen/taskwire/bus/v1/report.js";
import { UuidSource } from "#libs/tasks/uuid.js";
import type { ListQuery } from "#task-service/store/read-query.js";
import type { NewTask } from "#task-service/store/task-record.js";

const ids = new UuidSource();

/** A task that a store can accept: due now, with an id of its own. */
export function sampleTask(overrides: Partial<NewTask> = {}): NewTask {
  const { id, timeMs } = ids.next();
  return {
    id,
    type: "test.sample",
    queue: "default",
    priority: 0,
    payloadJson: "{}",
    labelsJson: "{}",
    description: "",
    maxAttempts: 0,
    initialDelayMs: null,
    maximumDelayMs: null,
    multiplier: 0,
    totalTimeoutMs: null,
    retryCodes: null,
    createTimeMs: timeMs,
    runTimeMs: timeMs,
    softTimeoutMs: 0,
    hardTimeoutMs: 0,
    memoryBytes: 0,
    unwatchedCancelMs: null,
    webhookJson: null,
    requestId: null,
    requestHash: null,
    ...overrides,
  };
}

/** The worker that {@link reportBatch} speaks for unless told. */
export const WORKER = "worker-1";

type Kind = NonNullable<Report["kind"]>;

/** What a worker says about one attempt, numbered from `firstNumber`, encoded as it travels. */
export function reportBatch(
  taskId: string,
  kinds: readonly Kind[],
  at: { readonly attempt?: number; readonly firstNumber?: number; readonly workerId?: string } = {},
): Uint8Array {
  const { attempt = 1, firstNumber = 1, workerId = WORKER } = at;
  const reports = kinds.map((kind, index) => ({ taskId, attempt, number: firstNumber + index, kind }));
  return ReportBatch.encode(ReportBatch.fromPartial({ workerId, number: 1, reports })).finish();
}

/** The attempt begins. */
export const started: Kind = {
  $case: "started",
  value: { maxAttempts: 0, multiplier: 0, retryableCodes: [], permanentCodes: [] },
};

/** The handler returned. */
export function succeeded(resultJson = "null"): Kind {
  return { $case: "succeeded", value: { resultJson, warnings: [] } };
}

/** The handler threw. */
export function failed(retryAfterMs?: number, retryable = true): Kind {
  const error = { code: "HANDLER_ERROR", message: "broken", retryable, detailsJson: "" };
  return { $case: "failed", value: { error, retryAfterMs } };
}

/** The handler said how far it is. */
export function progress(current: number, message = ""): Kind {
  return { $case: "progress", value: { fraction: undefined, current, total: undefined, message } };
}

/** A list of everything, oldest first. */
export const LIST_ALL: ListQuery = {
  filter: null,
  sortBy: "id",
  isDescending: false,
  after: null,
  limit: 1000,
  isFull: false,
  maxBytes: 64 * 1024 * 1024,
};
