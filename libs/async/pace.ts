const SLICE_MS = 5;

/** Keeps work that comes in many small steps from holding the event loop: after 5 ms of one turn the rest waits for the next. */
export class Pace {
  /** When the slice of this turn is used up; 0: it has not begun. */
  #endMs = 0;
  #next: Promise<void> | undefined;

  /** Ask before each step: undefined means go on, a promise means wait for it and ask again. */
  get pause(): Promise<void> | undefined {
    const nowMs = performance.now();
    if (this.#next !== undefined) return this.#next;
    if (this.#endMs === 0) {
      this.#endMs = nowMs + SLICE_MS;
      setImmediate(() => {
        this.#endMs = 0;
      });
      return undefined;
    }
    if (nowMs < this.#endMs) return undefined;
    this.#next = new Promise((resolve) => {
      setImmediate(() => {
        this.#next = undefined;
        this.#endMs = 0;
        resolve();
      });
    });
    return this.#next;
  }
}
