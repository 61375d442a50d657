/** Something with a point in time. */
export interface Timed {
  /** On the clock of `performance.now()`, milliseconds; Infinity: none. */
  readonly deadlineMs: number;
  /** Called at the deadline, again and again until the deadline moves or the watch ends. */
  onDeadline(): void;
}

const LONGEST_TIMER_MS = 60_000;

/**
 * Deadlines of many attempts on one timer. Adding and removing cost next to nothing, because attempts that end in time leave the
 * timer as it is; a deadline is met within a few milliseconds.
 */
export class DeadlineWatch {
  readonly #watched = new Set<Timed>();
  #timer: NodeJS.Timeout | undefined;
  #armedFor = Infinity;

  /** Begins to watch. Call it again after a deadline moved closer. */
  watch(timed: Timed): void {
    this.#watched.add(timed);
    if (timed.deadlineMs < this.#armedFor) this.#arm(timed.deadlineMs);
  }

  /** Ends the watch. */
  forget(timed: Timed): void {
    this.#watched.delete(timed);
  }

  /** Ends all watches. */
  close(): void {
    this.#watched.clear();
    clearTimeout(this.#timer);
    this.#armedFor = Infinity;
  }

  #arm(deadlineMs: number): void {
    clearTimeout(this.#timer);
    this.#armedFor = deadlineMs;
    if (deadlineMs === Infinity) return;
    const waitMs = Math.min(Math.max(0, Math.ceil(deadlineMs - performance.now())), LONGEST_TIMER_MS);
    this.#timer = setTimeout(() => {
      this.#fire();
    }, waitMs);
  }

  #fire(): void {
    const now = performance.now();
    for (const timed of [...this.#watched]) if (timed.deadlineMs <= now) timed.onDeadline();
    let earliest = Infinity;
    for (const timed of this.#watched) if (timed.deadlineMs < earliest) earliest = timed.deadlineMs;
    this.#arm(earliest);
  }
}
