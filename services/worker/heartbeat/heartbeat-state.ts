import { z } from "zod";
import { LOG_LEVELS } from "#libs/log/logger.js";

/** What the heartbeat thread is given at its start. */
export const heartbeatSetup = z.object({
  natsUrl: z.string(),
  prefix: z.string(),
  logLevel: z.enum(LOG_LEVELS),
  intervalMs: z.number(),
  workerId: z.string(),
  hostname: z.string(),
  pid: z.number(),
  version: z.string(),
  queues: z.array(z.string()),
  types: z.array(z.string()),
  startTimeMs: z.number(),
});

/** What the heartbeat thread is told again and again; silence means that the main thread is stuck. */
export const heartbeatState = z.object({
  slots: z.number(),
  running: z.number(),
  draining: z.boolean(),
  leaving: z.boolean(),
  attempts: z.array(z.object({ taskId: z.string(), attempt: z.number() })),
  /** Silence after which no lease is renewed any more, milliseconds. */
  silenceLimitMs: z.number(),
});

export type HeartbeatSetup = z.infer<typeof heartbeatSetup>;
export type HeartbeatState = z.infer<typeof heartbeatState>;
