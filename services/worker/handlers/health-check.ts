import { existsSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import { availableParallelism, freemem, loadavg, totalmem } from "node:os";
import { dirname, join, resolve } from "node:path";
import { performance } from "node:perf_hooks";
import { setTimeout as wait } from "node:timers/promises";
import { z } from "zod";
import { defineTask } from "#libs/define-task/define-task.js";
import { errorMessage } from "#libs/errors/error-message.js";
import { ARTIFACT_DIRECTORY } from "#worker/handlers/report-generate/artifact-path.js";

const payload = z.object({
  /** The directory to try, absolute or relative to the worker's; default: where artifacts go. */
  directory: z.string().min(1).max(4096).default(ARTIFACT_DIRECTORY),
});

const result = z.object({
  time: z.iso.datetime(),
  nodeVersion: z.string(),
  pid: z.int(),
  uptimeSeconds: z.number(),
  cpus: z.int(),
  loadAverage: z.array(z.number()),
  memory: z.object({ rssBytes: z.int(), heapUsedBytes: z.int(), freeBytes: z.int(), totalBytes: z.int() }),
  eventLoopDelayMs: z.number(),
  disk: z.object({ directory: z.string(), writable: z.boolean(), error: z.string().optional() }),
});

const SAMPLES = 5;
const SAMPLE_MS = 10;

/** `system.health_check`: what the worker process sees right now. */
export default defineTask(
  "system.health_check",
  { payload, result, isolation: "inline", maxAttempts: 1 },
  async (task) => {
    const memory = process.memoryUsage();
    return {
      time: new Date().toISOString(),
      nodeVersion: process.version,
      pid: process.pid,
      uptimeSeconds: Math.round(process.uptime() * 10) / 10,
      cpus: availableParallelism(),
      loadAverage: loadavg().map((load) => Math.round(load * 100) / 100),
      memory: { rssBytes: memory.rss, heapUsedBytes: memory.heapUsed, freeBytes: freemem(), totalBytes: totalmem() },
      eventLoopDelayMs: await longestDelay(task.signal),
      disk: await tryDisk(resolve(task.payload.directory), task.taskId),
    };
  },
);

/** How much later than asked a timer fires, at worst of a few tries, in milliseconds. */
async function longestDelay(signal: AbortSignal): Promise<number> {
  let longest = 0;
  for (let sample = 0; sample < SAMPLES; sample += 1) {
    const start = performance.now();
    await wait(SAMPLE_MS, undefined, { signal });
    longest = Math.max(longest, performance.now() - start - SAMPLE_MS);
  }
  return Math.round(longest * 100) / 100;
}

/** Writes and removes a small file in the directory, or in the nearest one above it that exists. */
async function tryDisk(
  wanted: string,
  taskId: string,
): Promise<{ directory: string; writable: boolean; error?: string }> {
  let directory = wanted;
  while (dirname(directory) !== directory && !existsSync(directory)) directory = dirname(directory);
  const probe = join(directory, `.probe-${taskId}`);
  try {
    await writeFile(probe, "taskwire\n", { flush: true });
    return { directory, writable: true };
  } catch (error) {
    return { directory, writable: false, error: errorMessage(error) };
  } finally {
    await rm(probe, { force: true }).catch(() => undefined);
  }
}
