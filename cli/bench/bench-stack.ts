import { randomBytes } from "node:crypto";
import { rm } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { readProcessUsage, type ProcessUsage } from "#cli/bench/process-usage.js";
import { startLocalStack, type LocalStack } from "#cli/local-stack.js";

/** A stack of its own for measuring. */
export interface BenchStack {
  readonly address: string;
  /** What each process has used so far, the benchmark's own client among them. */
  usage(): Readonly<Record<string, ProcessUsage>>;
  stop(): Promise<void>;
}

/** How a {@link BenchStack} is set up. */
export interface BenchStackOptions {
  /** Emptied first. */
  readonly dataDir: string;
  /** With a fresh key for payloads and results. */
  readonly encrypted: boolean;
}

/** Of AES-256. */
const KEY_BYTES = 32;

const SPIN_TASKS = fileURLToPath(new URL("./spin-tasks.js", import.meta.url));

/** Attempts at once of the worker for inline handlers: no-ops need many to hide the way there and back. */
const INLINE_SLOTS = 1000;

/** The queue whose worker has the default settings: as many attempts at once as cores, each in a process of its own. */
export const PROCESS_QUEUE = "process";

/**
 * Starts NATS, task-service, a worker for inline handlers and one for process isolation, with full durability and quiet logs.
 * Everything lies in `dataDir`, which is emptied.
 */
export async function startBenchStack({ dataDir, encrypted }: BenchStackOptions): Promise<BenchStack> {
  await rm(dataDir, { recursive: true, force: true });
  const common = {
    TASKWIRE_LOG_LEVEL: "warn",
    ...(encrypted ? { ENCRYPTION_KEY: randomBytes(KEY_BYTES).toString("hex") } : {}),
  };
  const stack = await startLocalStack({
    dataDir,
    serviceEnv: common,
    workerEnv: { ...common, TASKWIRE_SLOTS: String(INLINE_SLOTS), TASKWIRE_WARM_PROCESSES: "0" },
    logFile: join(dataDir, "bench.log"),
  });
  const ownSettings = {
    TASKWIRE_QUEUES: PROCESS_QUEUE,
    TASKWIRE_SLOTS: String(availableParallelism()),
    TASKWIRE_WARM_PROCESSES: "",
  };
  try {
    await stack.addWorker({ args: ["--tasks", SPIN_TASKS], env: ownSettings });
  } catch (error) {
    await stack.stop();
    throw error;
  }
  return {
    address: stack.address,
    usage: () => usageOf(stack),
    stop: () => stack.stop(),
  };
}

function usageOf(stack: LocalStack): Record<string, ProcessUsage> {
  const pids: Record<string, number | undefined> = {
    client: process.pid,
    service: stack.service.pid,
    worker: stack.workers[0]?.pid,
    nats: stack.nats.pid,
  };
  const usages: Record<string, ProcessUsage> = {};
  for (const [name, pid] of Object.entries(pids)) {
    const usage = pid === undefined ? undefined : readProcessUsage(pid);
    if (usage !== undefined) usages[name] = usage;
  }
  return usages;
}
