interface Alarm {
  readonly atMs: number;
  readonly ring: () => void;
}

/** Event loop turns that a step of time waits for: enough for what waits for promises, and for most of what waits for files. */
const SETTLE_TURNS = 10;
const realSetImmediate = setImmediate;

/** Lets what is ready to run do so. No fake time passes. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < SETTLE_TURNS; turn += 1) await new Promise<void>((done) => realSetImmediate(done));
}

/** A clock that stands still unless it is moved, with alarms. Times are milliseconds since 1970. */
export class TestClock {
  readonly startMs: number;
  readonly #alarms = new Set<Alarm>();
  #nowMs: number;

  constructor(startMs: number) {
    this.startMs = this.#nowMs = startMs;
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  /** Rings once when the clock gets there, never before it is moved. Returns the way to take it back. */
  at(atMs: number, ring: () => void): () => void {
    const alarm = { atMs, ring };
    if (Number.isFinite(atMs)) this.#alarms.add(alarm);
    return () => {
      this.#alarms.delete(alarm);
    };
  }

  /** Moves it on by `ms`, stopping at every alarm on the way, in order, until what that set going has settled. */
  async advance(ms: number): Promise<void> {
    if (!(ms >= 0 && ms < Infinity))
      throw new RangeError("time goes on only: advance by 0 ms or more, but not for ever");
    const endMs = this.#nowMs + ms;
    await settle();
    for (let next = this.#next(endMs); next !== undefined; next = this.#next(endMs)) {
      this.#alarms.delete(next);
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.ring();
      await settle();
    }
    this.#nowMs = endMs;
  }

  #next(endMs: number): Alarm | undefined {
    let next: Alarm | undefined;
    for (const alarm of this.#alarms)
      if (alarm.atMs <= endMs && (next === undefined || alarm.atMs < next.atMs)) next = alarm;
    return next;
  }
}
