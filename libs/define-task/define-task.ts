import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { TaskContext } from "#libs/define-task/task-context.js";
import {
  MAX_ATTEMPTS,
  MAX_MEMORY_BYTES,
  MAX_RETRY_CODES,
  MAX_RETRY_DELAY_MS,
  MAX_RETRY_MULTIPLIER,
  MAX_TIMEOUT_MS,
  MAX_TOTAL_TIMEOUT_MS,
  MIN_MEMORY_BYTES,
  MIN_TIMEOUT_MS,
  MIN_TOTAL_TIMEOUT_MS,
} from "#libs/tasks/limits.js";
import { isTypeName } from "#libs/tasks/names.js";
import { isErrorCode } from "#libs/tasks/outcome-code.js";

export {
  PartialFailure,
  PermanentError,
  RetryableError,
  RetryLater,
  TaskAborted,
} from "#libs/define-task/task-errors.js";
export type { TaskContext } from "#libs/define-task/task-context.js";

/**
 * Where a handler runs. `process`: a child process, one attempt at a time; may block, crash and be killed. `thread`: a worker thread;
 * may block and be killed, but a native crash takes the worker with it. `inline`: in the worker itself; for trusted code that only
 * ever waits, because nothing can stop it from outside.
 */
export type Isolation = "process" | "thread" | "inline";

/** The isolations. */
export const ISOLATIONS: readonly Isolation[] = ["process", "thread", "inline"];

type Schema = StandardSchemaV1 | undefined;

/** The payload a handler sees. */
export type PayloadOf<S extends Schema> = S extends StandardSchemaV1
  ? StandardSchemaV1.InferOutput<S>
  : Record<string, unknown>;
/** What a handler may return. */
export type ResultOf<S extends Schema> = S extends StandardSchemaV1 ? StandardSchemaV1.InferInput<S> : unknown;

/** How tasks of a type run. What the creator of a task sets wins; what neither sets is the server's or the worker's default. */
export interface TaskOptions<PS extends Schema = undefined, RS extends Schema = undefined> {
  /** Checked before the handler runs; a payload it refuses fails the task for good with `PAYLOAD_REJECTED`. */
  readonly payload?: PS;
  /** Checked after the handler returned; a result it refuses fails the task for good with `RESULT_REJECTED`. */
  readonly result?: RS;
  /** Default `process`. */
  readonly isolation?: Isolation;
  /** [1, 100]. */
  readonly maxAttempts?: number;
  /** Longest first retry delay, [0, 24 h] in milliseconds. */
  readonly initialDelayMs?: number;
  /** Longest retry delay of all, [0, 24 h] in milliseconds. */
  readonly maximumDelayMs?: number;
  /** Growth of the retry delay from attempt to attempt, [1, 10]. */
  readonly multiplier?: number;
  /** Time after which no new attempt starts, counted from when a task is first due, [10 ms, 366 days]. */
  readonly totalTimeoutMs?: number;
  /**
   * Error codes that are retried, at most 50; empty or left out: every error that is retryable by itself. Taskwire's own codes
   * (`HARD_TIMEOUT`, `CRASHED`, …) may be named too.
   */
  readonly retryableCodes?: readonly string[];
  /** Error codes that are never retried, at most 50, none of them in `retryableCodes`. */
  readonly permanentCodes?: readonly string[];
  /** When the signal fires, [10 ms, 24 h]. */
  readonly softTimeoutMs?: number;
  /** When the isolate is killed, [10 ms, 24 h]. */
  readonly hardTimeoutMs?: number;
  /** Memory of the isolate beyond what Node.js itself needs, [32 MiB, 64 GiB]; not enforced for `inline`. */
  readonly memoryBytes?: number;
}

const BRAND = Symbol.for("taskwire.task-definition");

/** A handler with its type and options; made by {@link defineTask}. */
export interface TaskDefinition<P = unknown, R = unknown> {
  readonly [BRAND]: true;
  readonly type: string;
  readonly options: TaskOptions<Schema, Schema>;
  handler(context: TaskContext<P>): R | Promise<R>;
}

/**
 * Defines how tasks of a type run. Export the result from a module that a worker loads (`--tasks ./my-tasks.js`).
 *
 * The handler's result must be JSON: at most 256 KiB and 30 levels. Whatever it throws is a failure that may be retried, unless it is
 * one of `PermanentError`, `RetryableError`, `RetryLater` or `PartialFailure`. Throws a TypeError that names every wrong option.
 */
export function defineTask<PS extends Schema = undefined, RS extends Schema = undefined>(
  type: string,
  options: TaskOptions<PS, RS>,
  handler: (context: TaskContext<PayloadOf<PS>>) => ResultOf<RS> | Promise<ResultOf<RS>>,
): TaskDefinition<PayloadOf<PS>, ResultOf<RS>> {
  const problems = [
    isTypeName(type)
      ? undefined
      : `type ${JSON.stringify(type)} must be lower-case words joined by dots, at most 100 characters`,
    typeof handler === "function" ? undefined : "handler must be a function",
    options.isolation === undefined || ISOLATIONS.includes(options.isolation)
      ? undefined
      : `isolation must be one of ${ISOLATIONS.join(", ")}`,
    schemaProblem("payload", options.payload),
    schemaProblem("result", options.result),
    rangeProblem("maxAttempts", options.maxAttempts, 1, MAX_ATTEMPTS),
    rangeProblem("initialDelayMs", options.initialDelayMs, 0, MAX_RETRY_DELAY_MS),
    rangeProblem("maximumDelayMs", options.maximumDelayMs, 0, MAX_RETRY_DELAY_MS),
    options.multiplier === undefined || (options.multiplier >= 1 && options.multiplier <= MAX_RETRY_MULTIPLIER)
      ? undefined
      : `multiplier must be in 1–${MAX_RETRY_MULTIPLIER}`,
    rangeProblem("totalTimeoutMs", options.totalTimeoutMs, MIN_TOTAL_TIMEOUT_MS, MAX_TOTAL_TIMEOUT_MS),
    codesProblem("retryableCodes", options.retryableCodes),
    codesProblem("permanentCodes", options.permanentCodes),
    overlapProblem(options.retryableCodes, options.permanentCodes),
    rangeProblem("softTimeoutMs", options.softTimeoutMs, MIN_TIMEOUT_MS, MAX_TIMEOUT_MS),
    rangeProblem("hardTimeoutMs", options.hardTimeoutMs, MIN_TIMEOUT_MS, MAX_TIMEOUT_MS),
    rangeProblem("memoryBytes", options.memoryBytes, MIN_MEMORY_BYTES, MAX_MEMORY_BYTES),
  ].filter((problem) => problem !== undefined);
  if (problems.length > 0) throw new TypeError(`defineTask(${JSON.stringify(type)}): ${problems.join("; ")}`);
  return Object.freeze({ [BRAND]: true as const, type, options: Object.freeze({ ...options }), handler });
}

/** Whether a value was made by `defineTask`, of this copy of the package or another. */
export function isTaskDefinition(value: unknown): value is TaskDefinition {
  return typeof value === "object" && value !== null && Reflect.get(value, BRAND) === true;
}

function schemaProblem(name: string, schema: unknown): string | undefined {
  if (schema === undefined) return undefined;
  const isSchema =
    (typeof schema === "object" || typeof schema === "function") && schema !== null && "~standard" in schema;
  return isSchema ? undefined : `${name} must be a Standard Schema (zod, valibot, arktype, …)`;
}

function codesProblem(name: string, codes: unknown): string | undefined {
  if (codes === undefined) return undefined;
  const isSound =
    Array.isArray(codes) &&
    codes.length <= MAX_RETRY_CODES &&
    codes.every((code) => typeof code === "string" && isErrorCode(code));
  return isSound ? undefined : `${name} must be a list of at most ${MAX_RETRY_CODES} codes like RATE_LIMITED`;
}

function overlapProblem(retryable: unknown, permanent: unknown): string | undefined {
  if (!Array.isArray(retryable) || !Array.isArray(permanent)) return undefined;
  const both: unknown = retryable.find((code) => permanent.includes(code));
  return typeof both !== "string" ? undefined : `${both} cannot be both in retryableCodes and in permanentCodes`;
}

function rangeProblem(name: string, value: number | undefined, min: number, max: number): string | undefined {
  return value === undefined || (Number.isInteger(value) && value >= min && value <= max)
    ? undefined
    : `${name} must be a whole number in ${min}–${max}`;
}
