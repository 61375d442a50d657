import type { Random } from "#test/robustness/random.js";
import type { TaskSpec } from "#test/robustness/steps.js";

/** Makes the type, payload and limits of one kind of task. */
type Maker = (random: Random) => Pick<TaskSpec, "type" | "payload"> & Partial<TaskSpec>;

const MIB = 1024 * 1024;

/** How often each kind of handler comes, and what it is told; see `robustness-tasks.ts`. */
const MAKERS: readonly (readonly [weight: number, maker: Maker])[] = [
  [8, (random) => ({ type: "chaos.succeed", payload: { ms: random.int(0, 300) } })],
  [4, (random) => ({ type: "chaos.succeed-thread", payload: { ms: random.int(0, 300) } })],
  [4, (random) => ({ type: "chaos.succeed-inline", payload: { ms: random.int(0, 300) } })],
  [6, (random) => ({ type: "chaos.fail", payload: { ms: random.int(0, 100), until: random.int(2, 5) } })],
  [3, () => ({ type: "chaos.permanent", payload: {} })],
  [8, (random) => ({ type: "chaos.slow", payload: { ms: random.int(500, 3500) } })],
  [3, (random) => ({ type: "chaos.spin", payload: { ms: random.int(200, 1200) } })],
  [
    4,
    (random) => ({
      type: "chaos.crash",
      payload: { how: random.pick(["exit", "SIGSEGV", "SIGKILL"]), until: random.int(2, 4) },
    }),
  ],
  [1, (random) => ({ type: "chaos.eat", payload: { until: random.int(2, 3) }, memoryBytes: 40 * MIB, maxAttempts: 2 })],
  [4, (random) => ({ type: "chaos.deaf", payload: { ms: random.int(500, 3000) } })],
  [4, (random) => ({ type: "chaos.later", payload: { until: random.int(2, 4), delayMs: random.int(0, 600) } })],
  [3, (random) => ({ type: "chaos.partial", payload: { ms: random.int(0, 100) } })],
  [4, (random) => ({ type: "chaos.chatty", payload: { ms: random.int(100, 800), lines: random.int(20, 500) } })],
  [1, () => ({ type: "chaos.oversized", payload: {} })],
];

const POISON: Maker = (random) => ({ type: "chaos.poison", payload: { until: random.pick([2, 99]) }, maxAttempts: 5 });

/** Draws a task: mostly of the makers above, rarely (1 of 60) one that kills its worker. */
export function randomTask(random: Random): TaskSpec {
  const spec = (random.chance(1 / 60) ? POISON : weighted(random))(random);
  return { ...randomOptions(random, spec.type), ...spec };
}

function randomOptions(random: Random, type: string): Partial<TaskSpec> {
  const isLong = ["chaos.slow", "chaos.spin", "chaos.deaf"].includes(type);
  return {
    ...(random.chance(0.5) ? { maxAttempts: random.int(1, 5) } : {}),
    ...(random.chance(0.3) ? { priority: random.int(-100, 100) } : {}),
    ...(random.chance(0.2) ? { runInMs: random.int(100, 3000) } : {}),
    ...(isLong && random.chance(0.4) ? { softTimeoutMs: random.int(100, 1000) } : {}),
    ...(isLong && random.chance(0.4) ? { hardTimeoutMs: random.int(1001, 2500) } : {}),
    ...(random.chance(0.1) ? { totalTimeoutMs: random.int(2000, 10_000) } : {}),
    initialDelayMs: random.int(0, 400),
    maximumDelayMs: random.int(400, 1500),
  };
}

function weighted(random: Random): Maker {
  let left = random.next() * MAKERS.reduce((sum, [weight]) => sum + weight, 0);
  for (const [weight, maker] of MAKERS) {
    left -= weight;
    if (left < 0) return maker;
  }
  return random.pick(MAKERS)[1];
}
