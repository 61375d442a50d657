import type { Delivery } from "#libs/bus/bus.js";

interface Recent {
  isStored: boolean;
  readonly deliveries: Delivery[];
}

const DEFAULT_CAPACITY = 20_000;

/**
 * The attempts this worker has or recently had, so that a dispatch delivered again is not run again. The oldest are forgotten beyond
 * the capacity; then the service refuses the reports of a second run.
 */
export class RecentAttempts {
  readonly #capacity: number;
  readonly #recent = new Map<string, Recent>();
  /** The keys in a ring, oldest at `#next`: the first key of a map that loses its first keys all the time is slow to find. */
  readonly #ring: string[] = [];
  #next = 0;

  constructor(capacity: number = DEFAULT_CAPACITY) {
    this.#capacity = capacity;
  }

  has(key: string): boolean {
    return this.#recent.has(key);
  }

  /** Notes an attempt with the delivery that brought it. False: it was here already, and the delivery will be acknowledged with it. */
  take(key: string, delivery: Delivery): boolean {
    const known = this.#recent.get(key);
    if (known !== undefined) {
      if (known.isStored) delivery.ack();
      else known.deliveries.push(delivery);
      return false;
    }
    this.#recent.set(key, { isStored: false, deliveries: [delivery] });
    const oldest = this.#ring[this.#next];
    if (oldest !== undefined) this.#recent.delete(oldest);
    this.#ring[this.#next] = key;
    this.#next = (this.#next + 1) % this.#capacity;
    return true;
  }

  /** JetStream knows that the attempt started: acknowledges what brought it. */
  markStored(key: string): void {
    const known = this.#recent.get(key);
    if (known === undefined) return;
    known.isStored = true;
    for (const delivery of known.deliveries.splice(0)) delivery.ack();
  }
}
