import { z } from "zod";
import { ISOLATIONS } from "#libs/define-task/define-task.js";
import type { AbortCause } from "#libs/define-task/task-errors.js";
import { handedKeys, type HandedKeys } from "#worker/isolate/handed-keys.js";
import type { RunOrder } from "#libs/attempts/run-order.js";

/** What an isolate is told at its start, besides the messages. */
export interface IsolateSetup {
  /** Absolute paths of the task modules. */
  readonly modules: readonly string[];
  /** Only for an isolate that runs nothing but a type which is to have them. */
  readonly keys?: HandedKeys | undefined;
}

/** From the owner of an isolate into it. */
export type ParentMessage =
  | { readonly kind: "setup"; readonly setup: IsolateSetup }
  | { readonly kind: "run"; readonly run: number; readonly order: RunOrder }
  | { readonly kind: "abort"; readonly run: number; readonly cause: AbortCause; readonly message: string };

const described = z.object({
  type: z.string(),
  module: z.string(),
  isolation: z.enum(ISOLATIONS),
  maxAttempts: z.number().optional(),
  initialDelayMs: z.number().optional(),
  maximumDelayMs: z.number().optional(),
  multiplier: z.number().optional(),
  totalTimeoutMs: z.number().optional(),
  retryableCodes: z.array(z.string()).optional(),
  permanentCodes: z.array(z.string()).optional(),
  softTimeoutMs: z.number().optional(),
  hardTimeoutMs: z.number().optional(),
  memoryBytes: z.number().optional(),
});

/** A task type of a module, without its code. */
export type DescribedTask = z.infer<typeof described>;

const facts = z.object({
  code: z.string().max(63),
  message: z.string().max(500),
  retryable: z.boolean(),
  detailsJson: z.string().max(8192),
});
const run = z.number();
const ABORT_CAUSES = ["cancelled", "soft-timeout", "shutdown", "abandoned"] as const satisfies readonly AbortCause[];
const cause = z.enum(ABORT_CAUSES);

const childMessage = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("ready"), tasks: z.array(described) }),
  z.object({ kind: z.literal("broken"), message: z.string() }),
  z.object({
    kind: z.literal("progress"),
    run,
    claim: z.object({
      fraction: z.number().optional(),
      current: z.number().optional(),
      total: z.number().optional(),
      message: z.string().max(200),
    }),
  }),
  z.object({
    kind: z.literal("log"),
    run,
    claim: z.object({
      level: z.number().int().min(1).max(4),
      message: z.string().max(4096),
      fieldsJson: z.string().max(4096),
      capped: z.boolean(),
    }),
  }),
  z.object({
    kind: z.literal("output"),
    run,
    claim: z.object({ name: z.string().max(63), text: z.string().max(65536), offset: z.number(), capped: z.boolean() }),
  }),
  z.object({ kind: z.literal("aborted"), run, cause }),
  z.object({
    kind: z.literal("ended"),
    run,
    /** The handler threw and left something running. */
    leftRunning: z.boolean(),
    outcome: z.discriminatedUnion("kind", [
      z.object({ kind: z.literal("succeeded"), resultJson: z.string().max(262144), warnings: z.array(facts).max(20) }),
      z.object({ kind: z.literal("failed"), error: facts, retryAfterMs: z.number().optional() }),
      z.object({ kind: z.literal("retry-later"), delayMs: z.number(), reason: z.string().max(500) }),
      z.object({
        kind: z.literal("refused"),
        code: z.enum(["PAYLOAD_REJECTED", "RESULT_REJECTED", "UNKNOWN_TYPE"]),
        message: z.string().max(500),
        detailsJson: z.string().max(8192),
      }),
    ]),
  }),
]);

/** From an isolate to its owner. */
export type ChildMessage = z.infer<typeof childMessage>;

/**
 * Reads a message from an isolate. Handler code shares the channel and may send what it likes: whatever is not one of ours, within
 * its bounds, is undefined.
 */
export function readChildMessage(message: unknown): ChildMessage | undefined {
  return childMessage.safeParse(message).data;
}

const parentMessage = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("setup"),
    setup: z.object({ modules: z.array(z.string()), keys: handedKeys.optional() }),
  }),
  z.object({
    kind: z.literal("run"),
    run,
    order: z.object({
      type: z.string(),
      taskId: z.string(),
      attempt: z.number(),
      maxAttempts: z.number(),
      payloadJson: z.string(),
      deadlineMs: z.number(),
      speech: z.object({
        progressIntervalMs: z.number(),
        logLines: z.number(),
        logBytes: z.number(),
        outputBytes: z.number(),
      }),
    }),
  }),
  z.object({ kind: z.literal("abort"), run, cause, message: z.string() }),
]);

/** Reads a message from the owner; undefined: it is something else. */
export function readParentMessage(message: unknown): ParentMessage | undefined {
  return parentMessage.safeParse(message).data;
}
