import type { Delivery } from "#libs/bus/bus.js";

interface Recent {
  isStored: boolean;
  /** Of the dispatch that brought it: how often the service had dispatched it before. */
  readonly round: number;
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

  /**
   * Whether the service has dispatched an attempt again though JetStream had said that it stored its start: JetStream may have lost that report
   * before the service read it.
   */
  isForgotten(key: string, round: number): boolean {
    const known = this.#recent.get(key);
    return known !== undefined && known.isStored && round > known.round;
  }

  /** Notes an attempt with the delivery that brought it. */
  add(key: string, round: number, delivery: Delivery): void {
    const isKnown = this.#recent.has(key);
    this.#recent.set(key, { isStored: false, round, deliveries: [delivery] });
    if (isKnown) return;
    const oldest = this.#ring[this.#next];
    if (oldest !== undefined) this.#recent.delete(oldest);
    this.#ring[this.#next] = key;
    this.#next = (this.#next + 1) % this.#capacity;
  }

  /** Takes another delivery of an attempt that is known: it is acknowledged with the first one. */
  join(key: string, delivery: Delivery): void {
    const known = this.#recent.get(key);
    if (known?.isStored === true) delivery.ack();
    else known?.deliveries.push(delivery);
  }

  /** JetStream knows that the attempt started: acknowledges what brought it. */
  markStored(key: string): void {
    const known = this.#recent.get(key);
    if (known === undefined) return;
    known.isStored = true;
    for (const delivery of known.deliveries.splice(0)) delivery.ack();
  }
}
