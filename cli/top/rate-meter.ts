/** Events per second between the two latest marks, and over the last minute or since the first mark; null: there is one mark only. */
export interface Rates {
  readonly interval: number | null;
  readonly minute: number | null;
}

interface Mark {
  readonly atMs: number;
  readonly total: number;
}

const MINUTE_MS = 60_000;

/** Counts events, and tells at marks how fast they came. It keeps the marks of a minute. */
export class RateMeter {
  #total = 0;
  #marks: Mark[];

  /** `beside`: a meter that has been marked already, and is always marked together with this one; this one had nothing to count until now. */
  constructor(beside?: RateMeter) {
    this.#marks = beside === undefined ? [] : beside.#marks.map(({ atMs }) => ({ atMs, total: 0 }));
  }

  count(): void {
    this.#total += 1;
  }

  /** Marks a time, in milliseconds of a clock that only goes forward. */
  mark(atMs: number): Rates {
    const latest = { atMs, total: this.#total };
    const before = this.#marks.at(-1);
    this.#marks.push(latest);
    // The first one that stays is a minute old or more.
    while ((this.#marks[1]?.atMs ?? atMs) <= atMs - MINUTE_MS) this.#marks.shift();
    const [first] = this.#marks;
    return { interval: rateBetween(before, latest), minute: rateBetween(first, latest) };
  }
}

function rateBetween(from: Mark | undefined, to: Mark): number | null {
  if (from === undefined || to.atMs <= from.atMs) return null;
  return ((to.total - from.total) * 1000) / (to.atMs - from.atMs);
}
