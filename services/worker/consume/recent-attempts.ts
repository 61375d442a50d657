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
    if (this.#recent.size > this.#capacity) {
      for (const oldest of this.#recent.keys()) {
        this.#recent.delete(oldest);
        break;
      }
    }
    return true;
  }

  /** JetStream knows that the attempt started: acknowledges what brought it. */
  markStored(key: string): void {
    const known = this.#recent.get(key);
    if (known === undefined) return;
    known.isStored = true;
    for (const delivery of known.deliveries.splice(0)) delivery.ack();
  }

  /** The attempt was handed back and may come again under the same number. */
  forget(key: string): void {
    this.#recent.delete(key);
  }
}
