import { createHash } from "node:crypto";
import { Random } from "#test/robustness/random.js";
import { scheduleFaults } from "#test/robustness/schedule-faults.js";
import { scheduleOperations } from "#test/robustness/schedule-operations.js";
import type { Step } from "#test/robustness/steps.js";

/** What a schedule is made from. */
export interface ScheduleOptions {
  readonly seed: number;
  readonly durationMs: number;
  /** How many workers there are, named `worker-1`, …; default 2. */
  readonly workers?: number;
  /** Operations of clients per second, on average; default 6. */
  readonly operationsPerSecond?: number;
  /** Mean time between the beginnings of two faults; default 2,500. */
  readonly faultEveryMs?: number;
}

/** Everything a run is going to do, fixed before it starts. */
export interface Schedule {
  readonly seed: number;
  readonly durationMs: number;
  readonly workers: readonly string[];
  /** By time. */
  readonly steps: readonly Step[];
  /** Of all of the above: equal schedules have equal hashes. */
  readonly hash: string;
}

const CALM_START_MS = 2000;

/** Makes the schedule of a seed: the same options always give the same one. */
export function makeSchedule(options: ScheduleOptions): Schedule {
  const { seed, durationMs, workers: workerCount = 2, operationsPerSecond = 6, faultEveryMs = 2500 } = options;
  const random = new Random(seed);
  const workers = Array.from({ length: workerCount }, (_worker, index) => `worker-${index + 1}`);
  const operations = scheduleOperations(random.fork(), durationMs, operationsPerSecond);
  const faults = scheduleFaults(random.fork(), {
    workers,
    everyMs: faultEveryMs,
    fromMs: CALM_START_MS,
    untilMs: durationMs,
  });
  const steps = [...operations, ...faults].sort((a, b) => a.atMs - b.atMs);
  const plan = { seed, durationMs, workers, steps };
  const hash = createHash("sha256").update(JSON.stringify(plan)).digest("hex").slice(0, 16);
  return { ...plan, hash };
}
