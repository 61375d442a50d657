import type { Duration } from "#libs/proto/gen/google/protobuf/duration.js";
import type { CreateTaskRequest } from "#libs/proto/gen/taskwire/v1/task_service.js";
import type { RetryPolicy, Task } from "#libs/proto/gen/taskwire/v1/task.js";
import { jsonProblem } from "#libs/tasks/json-bounds.js";
import { isErrorCode } from "#libs/tasks/outcome-code.js";
import * as limits from "#libs/tasks/limits.js";
import { isLabelKey, isQueueName, isTypeName } from "#libs/tasks/names.js";
import { validateWebhook } from "#task-service/rpc/validate-webhook.js";
import type { Violations } from "#task-service/rpc/violations.js";

const REQUEST_ID = /^[\x21-\x7e]+$/;

/** Milliseconds of a protobuf Duration, rounded. */
export function durationMs(duration: Duration): number {
  return duration.seconds * 1000 + Math.round(duration.nanos / 1e6);
}

/** Notes everything that is wrong with one creation. `prefix`: what its fields are called in the request, for example `requests[3].`. */
export function validateCreate(
  request: Pick<CreateTaskRequest, "task" | "requestId">,
  payloadJson: string,
  prefix: string,
  found: Violations,
): void {
  const { requestId, task } = request;
  if (requestId !== "") {
    const isRight = requestId.length <= limits.MAX_REQUEST_ID_CHARACTERS && REQUEST_ID.test(requestId);
    found.expect(
      isRight,
      `${prefix}request_id`,
      `must be 1 to ${limits.MAX_REQUEST_ID_CHARACTERS} printable ASCII characters`,
    );
  }
  if (task === undefined) {
    found.expect(false, `${prefix}task`, "is required");
    return;
  }
  const field = `${prefix}task.`;
  found.expect(
    isTypeName(task.type),
    `${field}type`,
    task.type === ""
      ? "is required"
      : "must be 1 to 100 characters: lower-case words of a-z, 0-9, _ and -, joined by dots",
  );
  found.expect(
    task.queue === "" || isQueueName(task.queue),
    `${field}queue`,
    "must be 1 to 63 characters of a-z, 0-9, _ and -, the first a letter or digit",
  );
  const isPriority = task.priority >= limits.MIN_PRIORITY && task.priority <= limits.MAX_PRIORITY;
  found.expect(isPriority, `${field}priority`, `must be in [${limits.MIN_PRIORITY}, ${limits.MAX_PRIORITY}]`);
  const problem = jsonProblem(task.payload ?? {}, payloadJson) ?? numberProblem(task.payload);
  found.expect(problem === undefined, `${field}payload`, problem ?? "");
  validateLabels(task.labels, field, found);
  found.expect(
    hasAtMost(task.description, limits.MAX_DESCRIPTION_CHARACTERS),
    `${field}description`,
    `must have at most ${limits.MAX_DESCRIPTION_CHARACTERS} characters`,
  );
  const isAttempts = task.maxAttempts >= 0 && task.maxAttempts <= limits.MAX_ATTEMPTS;
  found.expect(isAttempts, `${field}max_attempts`, `must be in [1, ${limits.MAX_ATTEMPTS}], or 0 for the default`);
  if (task.runTime !== undefined) {
    const time = task.runTime.getTime();
    const isRight = !Number.isNaN(time) && time <= Date.now() + limits.MAX_RUN_DELAY_MS;
    found.expect(isRight, `${field}run_time`, "must be at most 366 days ahead");
  }
  const { cancelUnwatchedAfter: after } = task;
  const afterMs = after === undefined ? limits.MIN_UNWATCHED_MS : durationMs(after);
  const isAfter = afterMs >= limits.MIN_UNWATCHED_MS && afterMs <= limits.MAX_UNWATCHED_MS;
  found.expect(isAfter, `${field}cancel_unwatched_after`, "must be in [1 s, 24 h]");
  validateLimits(task, field, found);
  validateRetryPolicy(task, field, found);
  if (task.webhook !== undefined) validateWebhook(task.webhook, task.type, `${field}webhook`, found);
}

/** Struct can carry NaN and infinities, JSON cannot: they would become null without a word. */
function numberProblem(value: unknown): string | undefined {
  if (typeof value === "number") return Number.isFinite(value) ? undefined : "holds a number that JSON does not have";
  if (typeof value !== "object" || value === null) return undefined;
  for (const item of Object.values(value)) {
    const problem = numberProblem(item);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/** Whether a text has at most so many characters; a text of megabytes is not taken apart for that. */
export function hasAtMost(text: string, characters: number): boolean {
  return text.length <= characters || (text.length <= characters * 2 && [...text].length <= characters);
}

function validateLabels(labels: Readonly<Record<string, string>>, field: string, found: Violations): void {
  const entries = Object.entries(labels);
  found.expect(entries.length <= limits.MAX_LABELS, `${field}labels`, `must have at most ${limits.MAX_LABELS} pairs`);
  for (const [key, value] of entries) {
    const name = `${field}labels[${JSON.stringify(key)}]`;
    found.expect(
      isLabelKey(key),
      name,
      "must have a key of 1 to 63 letters, digits, _, -, . and /, the first a letter",
    );
    const isShort = Buffer.byteLength(value) <= limits.MAX_LABEL_VALUE_BYTES;
    found.expect(isShort, name, `must have a value of at most ${limits.MAX_LABEL_VALUE_BYTES} bytes`);
  }
}

function validateLimits(task: Task, field: string, found: Violations): void {
  const { limits: asked } = task;
  if (asked === undefined) return;
  const softMs = asked.softTimeout === undefined ? undefined : durationMs(asked.softTimeout);
  const hardMs = asked.hardTimeout === undefined ? undefined : durationMs(asked.hardTimeout);
  for (const [name, ms] of [
    ["soft_timeout", softMs],
    ["hard_timeout", hardMs],
  ] as const) {
    const isRight = ms === undefined || (ms >= limits.MIN_TIMEOUT_MS && ms <= limits.MAX_TIMEOUT_MS);
    found.expect(isRight, `${field}limits.${name}`, "must be in [10 ms, 24 h]");
  }
  const isOrdered = softMs === undefined || hardMs === undefined || softMs < hardMs;
  found.expect(isOrdered, `${field}limits.soft_timeout`, "must be below limits.hard_timeout");
  const { memoryBytes } = asked;
  const isMemory =
    memoryBytes === 0 || (memoryBytes >= limits.MIN_MEMORY_BYTES && memoryBytes <= limits.MAX_MEMORY_BYTES);
  found.expect(isMemory, `${field}limits.memory_bytes`, "must be in [32 MiB, 64 GiB]");
}

function validateRetryPolicy(task: Task, field: string, found: Violations): void {
  const { retryPolicy: policy } = task;
  if (policy === undefined) return;
  for (const [name, delay] of [
    ["initial_delay", policy.initialDelay],
    ["maximum_delay", policy.maximumDelay],
  ] as const) {
    if (delay === undefined) continue;
    const ms = durationMs(delay);
    found.expect(ms >= 0 && ms <= limits.MAX_RETRY_DELAY_MS, `${field}retry_policy.${name}`, "must be in [0, 24 h]");
  }
  validateRetryCodes(policy, field, found);
  if (policy.totalTimeout !== undefined) {
    const ms = durationMs(policy.totalTimeout);
    const isRight = ms >= limits.MIN_TOTAL_TIMEOUT_MS && ms <= limits.MAX_TOTAL_TIMEOUT_MS;
    found.expect(isRight, `${field}retry_policy.total_timeout`, "must be in [10 ms, 366 days]");
  }
  const { multiplier } = policy;
  const isMultiplier = multiplier === 0 || (multiplier >= 1 && multiplier <= limits.MAX_RETRY_MULTIPLIER);
  found.expect(isMultiplier, `${field}retry_policy.multiplier`, `must be in [1, ${limits.MAX_RETRY_MULTIPLIER}]`);
}

function validateRetryCodes(policy: RetryPolicy, field: string, found: Violations): void {
  for (const [name, codes] of [
    ["retryable_codes", policy.retryableCodes],
    ["permanent_codes", policy.permanentCodes],
  ] as const) {
    const path = `${field}retry_policy.${name}`;
    found.expect(codes.length <= limits.MAX_RETRY_CODES, path, `must have at most ${limits.MAX_RETRY_CODES} codes`);
    for (const [index, code] of codes.slice(0, limits.MAX_RETRY_CODES).entries()) {
      found.expect(
        isErrorCode(code),
        `${path}[${index}]`,
        "must be 1 to 63 characters of A-Z, 0-9 and _, the first a letter",
      );
    }
  }
  const both = policy.permanentCodes.find((code) => policy.retryableCodes.includes(code));
  found.expect(both === undefined, `${field}retry_policy.permanent_codes`, "must not name a code of retryable_codes");
}
