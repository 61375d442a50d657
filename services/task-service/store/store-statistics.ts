import { Distribution, DURATION_BOUNDS_SECONDS } from "#libs/metrics/distribution.js";
import { Counted, COUNTED_KINDS, type CommitCounts } from "#task-service/store/commit-counts.js";

/** How many unfinished tasks there are, and how many of them run. */
export interface Held {
  readonly open: number;
  readonly running: number;
}

/** The same of one queue. */
export interface OpenCount extends Held {
  readonly queue: string;
}

/** Most queues that are told apart; the others are counted together. */
const MAX_QUEUES = 100;
const OTHER_QUEUES = "other";
const NOTHING: Held = { open: 0, running: 0 };
const GROUP_BOUNDS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000];

/** What a store has done since its start, and what it holds; for metrics. Costs one addition per number and commit. */
export class StoreStatistics {
  /** Commands per transaction. */
  readonly groupSizes = new Distribution(GROUP_BOUNDS);
  /** From handing a group to the writer until its answer, in seconds. */
  readonly commitSeconds = new Distribution(DURATION_BOUNDS_SECONDS);
  readonly #totals = Array.from({ length: COUNTED_KINDS }, () => new Map<string, number>());
  /** What the queues held at the start. */
  readonly #before = new Map<string, Held>();

  /** The names of the queues that have been heard of; at most 101. */
  get queues(): Iterable<string> {
    return this.#before.keys();
  }

  /** Takes over what the database held at the start. */
  begin(counts: readonly OpenCount[]): void {
    for (const { queue, open, running } of counts) {
      const name = this.#nameOf(queue);
      const before = this.#before.get(name) ?? NOTHING;
      this.#before.set(name, { open: before.open + open, running: before.running + running });
    }
  }

  /** Adds a commit. */
  add(counts: CommitCounts): void {
    for (let at = 0; at < counts.length; at += 3) {
      const counted = Number(counts[at]);
      const totals = this.#totals[counted];
      const of = String(counts[at + 1]);
      const key = counted >= Counted.CREATED ? this.#nameOf(of) : of;
      totals?.set(key, (totals.get(key) ?? 0) + Number(counts[at + 2]));
    }
  }

  /** How many were counted, by code or queue. */
  totals(counted: Counted): ReadonlyMap<string, number> {
    return this.#totals[counted] ?? new Map<string, number>();
  }

  /** How many were counted of a code or queue. */
  total(counted: Counted, of = ""): number {
    return this.totals(counted).get(of) ?? 0;
  }

  /** How many unfinished tasks a queue holds now, and how many of them run. */
  held(queue: string): Held {
    const of = (counted: Counted) => this.total(counted, queue);
    const { open, running } = this.#before.get(queue) ?? NOTHING;
    const finished = of(Counted.COMPLETED) + of(Counted.FAILED) + of(Counted.CANCELLED);
    return {
      open: open + of(Counted.CREATED) + of(Counted.REOPENED) - finished,
      running: running + of(Counted.STARTED) - of(Counted.ENDED),
    };
  }

  /** The name a queue is counted under. */
  #nameOf(queue: string): string {
    if (this.#before.has(queue)) return queue;
    const name = this.#before.size < MAX_QUEUES ? queue : OTHER_QUEUES;
    if (!this.#before.has(name)) this.#before.set(name, NOTHING);
    return name;
  }
}
