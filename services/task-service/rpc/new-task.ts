import { hash } from "node:crypto";
import type { RetryPolicy, Task } from "#libs/proto/gen/taskwire/v1/task.js";
import type { CreateTaskRequest } from "#libs/proto/gen/taskwire/v1/task_service.js";
import type { RetryCodes } from "#libs/tasks/retry-policy.js";
import { DEFAULT_QUEUE } from "#libs/tasks/names.js";
import type { Webhook } from "#libs/tasks/webhook.js";
import { UuidSource } from "#libs/tasks/uuid.js";
import { durationMs } from "#task-service/rpc/validate-task.js";
import type { NewTask } from "#task-service/store/task-record.js";

const ids = new UuidSource();
/** 132 bits: enough that two different requests never look alike. */
const HASH_CHARACTERS = 22;

/** The task a valid request asks for, with its id. */
export function newTask(requestId: string, task: Task, payloadJson: string): NewTask {
  const { id, timeMs: createTimeMs } = ids.next();
  const { limits, retryPolicy } = task;
  const runTimeMs = task.runTime?.getTime();
  return {
    id,
    type: task.type,
    queue: task.queue === "" ? DEFAULT_QUEUE : task.queue,
    priority: task.priority,
    payloadJson,
    labelsJson: JSON.stringify(task.labels),
    description: task.description,
    maxAttempts: task.maxAttempts,
    initialDelayMs: retryPolicy?.initialDelay === undefined ? null : durationMs(retryPolicy.initialDelay),
    maximumDelayMs: retryPolicy?.maximumDelay === undefined ? null : durationMs(retryPolicy.maximumDelay),
    multiplier: retryPolicy?.multiplier ?? 0,
    totalTimeoutMs: retryPolicy?.totalTimeout === undefined ? null : durationMs(retryPolicy.totalTimeout),
    retryCodes: retryCodesOf(retryPolicy),
    createTimeMs,
    runTimeMs: runTimeMs === undefined ? createTimeMs : Math.max(runTimeMs, createTimeMs),
    softTimeoutMs: limits?.softTimeout === undefined ? 0 : durationMs(limits.softTimeout),
    hardTimeoutMs: limits?.hardTimeout === undefined ? 0 : durationMs(limits.hardTimeout),
    memoryBytes: limits?.memoryBytes ?? 0,
    unwatchedCancelMs: task.cancelUnwatchedAfter === undefined ? null : durationMs(task.cancelUnwatchedAfter),
    webhookJson: webhookJsonOf(task),
    requestId: requestId === "" ? null : requestId,
    requestHash: requestId === "" ? null : requestHash(task),
  };
}

function retryCodesOf(policy: RetryPolicy | undefined): RetryCodes | null {
  if (policy === undefined || policy.retryableCodes.length + policy.permanentCodes.length === 0) return null;
  return { retryable: policy.retryableCodes, permanent: policy.permanentCodes };
}

function webhookJsonOf({ webhook }: Task): string | null {
  if (webhook === undefined) return null;
  const stored: Webhook = { url: webhook.url, states: webhook.states };
  return JSON.stringify(stored);
}

/** The JSON form of a request's payload; `{}` when it has none. */
export function payloadJsonOf(request: Pick<CreateTaskRequest, "task">): string {
  const payload = request.task?.payload;
  return payload === undefined ? "{}" : JSON.stringify(payload);
}

/** Equal for equal requests, whatever the order in which the keys of payload and labels came over the wire. */
function requestHash(task: Task): string {
  const canonical = JSON.stringify([
    task.type,
    task.queue === "" ? DEFAULT_QUEUE : task.queue,
    task.priority,
    task.description,
    task.maxAttempts,
    task.runTime?.getTime(),
    task.limits,
    hashedPolicy(task.retryPolicy),
    sorted(task.payload ?? {}),
    sorted(task.labels),
    ...(task.cancelUnwatchedAfter === undefined ? [] : [task.cancelUnwatchedAfter]),
    ...(task.webhook === undefined ? [] : ["webhook", task.webhook.url, task.webhook.states]),
  ]);
  return hash("sha256", canonical, "base64url").slice(0, HASH_CHARACTERS);
}

/** Fields that came later are part of it only where they are set, so that a request repeated after an upgrade looks the same. */
function hashedPolicy(policy: RetryPolicy | undefined): unknown {
  if (policy === undefined) return undefined;
  const { totalTimeout, retryableCodes, permanentCodes, ...first } = policy;
  const hasNone = totalTimeout === undefined && retryableCodes.length + permanentCodes.length === 0;
  return hasNone ? first : { ...first, totalTimeout, retryableCodes, permanentCodes };
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, item]) => [key, sorted(item)]);
}
