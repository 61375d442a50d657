import { errorMessage } from "#libs/errors/error-message.js";
import { invalidArgument } from "#libs/errors/taskwire-error.js";
import type { Duration } from "#libs/proto/gen/google/protobuf/duration.js";
import {
  Task_State as State,
  type Limits,
  type RetryPolicy,
  type Task,
  type Webhook,
} from "#libs/proto/gen/taskwire/v1/task.js";
import { CreateTaskRequest } from "#libs/proto/gen/taskwire/v1/task_service.js";
import { BinaryWriter } from "@bufbuild/protobuf/wire";
import { UuidSource } from "#libs/tasks/uuid.js";

const requestIds = new UuidSource();

/** A task's input: anything JSON can say, as an object. */
export type TaskPayload = Readonly<Record<string, unknown>>;

/** What may be said about a new task besides its type and payload. The server checks all of it. */
export interface CreateOptions {
  /** The queue; default `default`. */
  readonly queue?: string;
  /** Higher runs sooner within a queue; [-100, 100], default 0. */
  readonly priority?: number;
  /** At most 32 pairs for the caller's own use. */
  readonly labels?: Readonly<Record<string, string>>;
  /** A sentence for people, at most 1,000 characters. */
  readonly description?: string;
  /** Attempts in all; [1, 100], default the handler's, else 3. */
  readonly maxAttempts?: number;
  /** The earliest time of the first attempt; default now. At most 366 days ahead. */
  readonly runTime?: Date;
  /** Milliseconds until the signal of an attempt fires; [10 ms, 24 h]. */
  readonly softTimeoutMs?: number;
  /** Milliseconds until the process of an attempt is killed; [10 ms, 24 h]. */
  readonly hardTimeoutMs?: number;
  /** Memory of an attempt in bytes; [32 MiB, 64 GiB]. */
  readonly memoryBytes?: number;
  /** Longest wait before the second attempt in milliseconds; [0, 24 h], default 1 s. */
  readonly initialDelayMs?: number;
  /** Longest wait before any attempt in milliseconds; [0, 24 h], default 10 min. */
  readonly maximumDelayMs?: number;
  /** By how much the wait grows from attempt to attempt; [1, 10], default 2. */
  readonly multiplier?: number;
  /** Milliseconds from when the task is due until no new attempt starts; [10 ms, 366 days], default none. */
  readonly totalTimeoutMs?: number;
  /** Error codes that are retried; at most 50, default all. */
  readonly retryableCodes?: readonly string[];
  /** Error codes that are never retried; at most 50. */
  readonly permanentCodes?: readonly string[];
  /** Milliseconds without a `run` attached to it after which the task is cancelled; [1 s, 24 h], default: it goes on, whoever watches. */
  readonly cancelUnwatchedAfterMs?: number;
  /**
   * Who gets a signed HTTP message when the task ends: a URL of http or https, at most 2,048 characters. With `states`, only of these ends;
   * default: all.
   */
  readonly webhook?: string | { readonly url: string; readonly states?: readonly State[] };
  /** Makes the create idempotent across processes; 1 to 64 printable ASCII characters. Default: a new UUID for each create. */
  readonly requestId?: string;
}

const writer = { current: new BinaryWriter() };

/**
 * Encodes a create request at once, so that later changes of the payload do not matter.
 *
 * @throws TaskwireError INVALID_ARGUMENT when protobuf cannot express a value, for example a bigint in the payload
 */
export function encodeCreateRequest(
  type: string,
  payload: TaskPayload | undefined,
  options: CreateOptions,
  repeatable: boolean,
): Uint8Array {
  const requestId = options.requestId ?? (repeatable ? requestIds.next().id : "");
  try {
    return CreateTaskRequest.encode({ task: newTask(type, payload, options), requestId }, writer.current).finish();
  } catch (error) {
    writer.current = new BinaryWriter();
    throw invalidArgument([{ field: "task", description: `cannot be encoded: ${errorMessage(error)}` }]);
  }
}

function newTask(type: string, payload: TaskPayload | undefined, options: CreateOptions): Task {
  return {
    id: "",
    type,
    queue: options.queue ?? "",
    state: State.STATE_UNSPECIFIED,
    priority: options.priority ?? 0,
    payload,
    result: undefined,
    error: undefined,
    labels: options.labels ?? {},
    description: options.description ?? "",
    attempt: 0,
    maxAttempts: options.maxAttempts ?? 0,
    progress: undefined,
    createTime: undefined,
    updateTime: undefined,
    startTime: undefined,
    endTime: undefined,
    runTime: options.runTime,
    limits: limitsOf(options),
    sequence: 0,
    workerId: "",
    cancelRequestTime: undefined,
    retryPolicy: retryPolicyOf(options),
    warnings: [],
    deadlineTime: undefined,
    cancelUnwatchedAfter: durationOf(options.cancelUnwatchedAfterMs),
    webhook: webhookOf(options.webhook),
  };
}

function webhookOf(webhook: CreateOptions["webhook"]): Webhook | undefined {
  if (webhook === undefined) return undefined;
  if (typeof webhook === "string") return { url: webhook, states: [] };
  return { url: webhook.url, states: [...(webhook.states ?? [])] };
}

function limitsOf({ softTimeoutMs, hardTimeoutMs, memoryBytes }: CreateOptions): Limits | undefined {
  if (softTimeoutMs === undefined && hardTimeoutMs === undefined && memoryBytes === undefined) return undefined;
  return {
    softTimeout: durationOf(softTimeoutMs),
    hardTimeout: durationOf(hardTimeoutMs),
    memoryBytes: memoryBytes ?? 0,
  };
}

function retryPolicyOf(options: CreateOptions): RetryPolicy | undefined {
  const { initialDelayMs, maximumDelayMs, multiplier, totalTimeoutMs, retryableCodes, permanentCodes } = options;
  const all = [initialDelayMs, maximumDelayMs, multiplier, totalTimeoutMs, retryableCodes, permanentCodes];
  if (all.every((value) => value === undefined)) return undefined;
  return {
    initialDelay: durationOf(initialDelayMs),
    maximumDelay: durationOf(maximumDelayMs),
    multiplier: multiplier ?? 0,
    totalTimeout: durationOf(totalTimeoutMs),
    retryableCodes: [...(retryableCodes ?? [])],
    permanentCodes: [...(permanentCodes ?? [])],
  };
}

/** A span in milliseconds as protobuf says it. */
export function durationOf(milliseconds: number | undefined): Duration | undefined {
  if (milliseconds === undefined) return undefined;
  const seconds = Math.trunc(milliseconds / 1000);
  return { seconds, nanos: Math.round((milliseconds - seconds * 1000) * 1e6) };
}
