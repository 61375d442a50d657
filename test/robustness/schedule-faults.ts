import type { Random } from "#test/robustness/random.js";
import type { Fault, Step } from "#test/robustness/steps.js";

/** What faults may hit. */
export interface FaultTargets {
  readonly workers: readonly string[];
  /** Mean time between the beginnings of two faults. */
  readonly everyMs: number;
  /** Faults begin within [fromMs, untilMs), and end a little later at most. */
  readonly fromMs: number;
  readonly untilMs: number;
}

type Maker = (random: Random, workers: readonly string[]) => Fault;

const HOUR_MS = 3_600_000;
const SERVICE = "task-service";
const NATS = "nats-server";

const anyTask = (random: Random, workers: readonly string[]) => random.pick([SERVICE, ...workers]);
const anyLink = (random: Random, workers: readonly string[]) => random.pick(["clients", SERVICE, ...workers]);

/** One deck of faults: each comes once before any comes again, so that a short run has most of them. */
const DECK: readonly Maker[] = [
  (random) => ({ kind: "kill", target: SERVICE, forMs: random.int(0, 1500) }),
  (random, workers) => ({ kind: "kill", target: random.pick(workers), forMs: random.int(0, 1500) }),
  (random, workers) => ({ kind: "kill", target: random.pick(workers), forMs: random.int(0, 1500) }),
  (random) => ({ kind: "kill", target: NATS, forMs: random.int(0, 2000) }),
  (random) => ({ kind: "stop", target: SERVICE, forMs: random.int(300, 3500) }),
  (random, workers) => ({ kind: "stop", target: random.pick(workers), forMs: random.int(500, 2000) }),
  (random, workers) => ({ kind: "stop", target: random.pick(workers), forMs: random.int(2500, 6000) }),
  (random) => ({ kind: "stop", target: NATS, forMs: random.int(300, 4000) }),
  (random) => ({ kind: "wipe", target: NATS, forMs: random.int(0, 2000) }),
  (random, workers) => ({ kind: "drain", target: anyTask(random, workers) }),
  (random, workers) => ({ kind: "cut", link: anyLink(random, workers) }),
  (random) => ({ kind: "cut", link: random.pick(["clients", SERVICE]) }),
  (random, workers) => ({ kind: "refuse", link: anyLink(random, workers), forMs: random.int(500, 3000) }),
  (random, workers) => ({ kind: "swallow", link: anyLink(random, workers), forMs: random.int(500, 5000) }),
  (random, workers) => ({ kind: "swallow", link: random.pick(workers), forMs: random.int(2500, 5000) }),
  (random, workers) => ({
    kind: "slow",
    link: anyLink(random, workers),
    forMs: random.int(1000, 5000),
    delayMs: random.int(20, 400),
  }),
  (random) => ({ kind: "clock", target: SERVICE, offsetMs: random.int(-3 * HOUR_MS, 3 * HOUR_MS) }),
  (random, workers) => ({
    kind: "clock",
    target: random.pick(workers),
    offsetMs: random.int(-3 * HOUR_MS, 3 * HOUR_MS),
  }),
  (random) => ({ kind: "slow-fsync", target: SERVICE, forMs: random.int(1000, 4000), delayMs: random.int(100, 1500) }),
  (random) => ({ kind: "disk-full", target: SERVICE, forMs: random.int(500, 3000) }),
];

/** Draws what goes wrong. No two faults hit the same target or link at once; those of different targets may overlap. */
export function scheduleFaults(random: Random, targets: FaultTargets): Step<Fault>[] {
  const steps: Step<Fault>[] = [];
  const busyUntilMs = new Map<string, number>();
  let deck: Maker[] = [];
  for (let atMs = targets.fromMs; ;) {
    if (deck.length === 0) deck = random.shuffle(DECK);
    const fault = deck.pop()?.(random, targets.workers);
    if (fault === undefined) continue;
    const hit = "target" in fault ? fault.target : `link ${fault.link}`;
    const beginMs = Math.max(atMs, busyUntilMs.get(hit) ?? 0);
    if (beginMs >= targets.untilMs) return steps.sort((a, b) => a.atMs - b.atMs);
    steps.push({ atMs: beginMs, action: fault });
    busyUntilMs.set(hit, beginMs + ("forMs" in fault ? fault.forMs : 0) + RECOVERY_MS);
    atMs += random.int(targets.everyMs * 0.3, targets.everyMs * 1.7);
  }
}

/** What a process needs to be of use again. */
const RECOVERY_MS = 2000;
