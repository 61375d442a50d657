import { Random } from "#test/robustness/random.js";
import type { WatchRecord, WatchSelection } from "#test/robustness/watches/watch-history.js";

/** Where a leg begins. `revision` and `token`: that share of those seen so far; `ahead`: beyond the log. */
export type LegStart =
  | { readonly kind: "snapshot" | "now" | "last" | "ahead" }
  | { readonly kind: "revision" | "token" | "snapshot token"; readonly share: number };

/** One stream of a watcher of many tasks. */
export interface WatchLeg {
  readonly start: LegStart;
  /** Left after so long, if it has not ended. */
  readonly forMs: number;
  /** After how many frames nothing is read, and for how long; 0: never. */
  readonly stallAfter: number;
  readonly stallMs: number;
  /** From its end to the next leg. */
  readonly pauseMs: number;
}

/** A watcher of many tasks. */
export interface PlannedWatcher extends WatchSelection {
  readonly name: string;
  readonly via: WatchRecord["via"];
  /** Its filter names so many of the latest tasks, anew after a few legs; 0: it is as it is. */
  readonly picks: number;
  /** The next leg; without end. */
  readonly nextLeg: () => WatchLeg;
  /** Where it begins when everything is over. */
  readonly lastStart: LegStart;
}

const MINUTE_MS = 60_000;
const ALL = ["states", "progress", "logs", "output"] as const;

/** Sets apart what is drawn here from what the schedule draws from the same seed. */
const SALT = 0x7761_7463;

/** The watchers of a run. The same seed draws the same legs, of which as many are carried out as there is time for. */
export function planWatchers(seed: number, durationMs: number, nowMs = Date.now()): PlannedWatcher[] {
  const random = new Random(seed ^ SALT);
  const timeIn = (share: number) => new Date(nowMs + durationMs * share).toISOString();
  const make = (name: string, via: WatchRecord["via"], selection: WatchSelection, picks = 0): PlannedWatcher => {
    const own = random.fork();
    const lastStart = lastStartOf(random);
    const nextLeg = () => (via === "raw" ? rawLeg(own) : clientLeg(own));
    return { name, via, picks, ...selection, nextLeg, lastStart };
  };
  return [
    make("everything", "raw", { filter: "", classes: ALL }),
    make("running", "raw", { filter: "state = RUNNING", classes: ["states", "progress"] }),
    make("running too", "raw", { filter: "state = RUNNING", classes: ["states", "progress"] }),
    make("without success", "raw", { filter: "state = FAILED OR state = CANCELLED", classes: ["states"] }),
    make("labelled", "raw", { filter: 'labels.op = "1*"', classes: ALL }),
    make("tried again", "raw", { filter: "attempt > 1", classes: ["states", "progress", "logs"] }),
    make("types", "raw", { filter: 'NOT type = "chaos.s*"', classes: ["states", "output"] }),
    make("changed", "raw", { filter: `update_time > ${timeIn(random.next() * 0.5)}`, classes: ALL }),
    make("created", "raw", {
      filter: `create_time > ${timeIn(random.next() * 0.3)} -(priority < 0 AND state = COMPLETED)`,
      classes: ["progress", "states"],
    }),
    make("picked", "raw", { filter: "", classes: ALL }, 3),
    make("library", "client", { filter: "", classes: ["states", "progress"] }),
    make("library, running", "client", { filter: "state = RUNNING attempt < 3", classes: ["progress", "output"] }),
  ];
}

function rawLeg(random: Random): WatchLeg {
  const stalls = random.chance(0.35);
  // Long enough for more to gather than connections hold, where there is much.
  const stallMs = random.int(500, 9000);
  const forMs = random.chance(0.2) ? random.int(5000, MINUTE_MS / 4) : random.int(200, 5000);
  return {
    start: startOf(random),
    forMs: forMs + (stalls ? stallMs : 0),
    stallAfter: stalls ? random.int(1, 6) : 0,
    stallMs,
    pauseMs: random.int(50, 600),
  };
}

function clientLeg(random: Random): WatchLeg {
  return { ...rawLeg(random), forMs: random.int(4000, MINUTE_MS / 2) };
}

function startOf(random: Random): LegStart {
  const die = random.next();
  const share = random.next();
  if (die < 0.2) return { kind: "snapshot" };
  if (die < 0.3) return { kind: "now" };
  if (die < 0.5) return { kind: "last" };
  if (die < 0.65) return { kind: "token", share };
  if (die < 0.8) return { kind: "snapshot token", share };
  // Rather a late one: the whole log is much.
  return die < 0.97 ? { kind: "revision", share: Math.sqrt(share) } : { kind: "ahead" };
}

function lastStartOf(random: Random): LegStart {
  const share = random.next();
  return random.pick<LegStart>([
    { kind: "snapshot" },
    { kind: "last" },
    { kind: "last" },
    { kind: "token", share },
    { kind: "snapshot token", share },
  ]);
}
