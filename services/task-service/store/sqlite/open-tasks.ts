/** How many unfinished tasks each queue holds, and how many it may hold. */
export class OpenTasks {
  readonly #capacity: number;
  readonly #counts: Map<string, number>;

  /** `capacity`: most unfinished tasks of one queue. */
  constructor(capacity: number, counts: Iterable<readonly [queue: string, count: number]>) {
    this.#capacity = capacity;
    this.#counts = new Map(counts);
  }

  hasRoom(queue: string, count: number): boolean {
    return (this.#counts.get(queue) ?? 0) + count <= this.#capacity;
  }

  add(deltas: ReadonlyMap<string, number>): void {
    for (const [queue, delta] of deltas) {
      const count = (this.#counts.get(queue) ?? 0) + delta;
      if (count > 0) this.#counts.set(queue, count);
      else this.#counts.delete(queue);
    }
  }
}
