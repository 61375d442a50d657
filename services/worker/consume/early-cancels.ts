const DEFAULT_CAPACITY = 1000;

/** Cancels of attempts that are not here yet; the oldest are forgotten beyond the capacity. */
export class EarlyCancels {
  readonly #capacity: number;
  readonly #reasons = new Map<string, string>();

  constructor(capacity: number = DEFAULT_CAPACITY) {
    this.#capacity = capacity;
  }

  /** Remembers a cancel by the attempt's key. */
  remember(key: string, reason: string): void {
    this.#reasons.set(key, reason);
    if (this.#reasons.size <= this.#capacity) return;
    for (const oldest of this.#reasons.keys()) {
      this.#reasons.delete(oldest);
      break;
    }
  }

  /** The reason of a remembered cancel, once. */
  take(key: string): string | undefined {
    if (this.#reasons.size === 0) return undefined;
    const reason = this.#reasons.get(key);
    if (reason !== undefined) this.#reasons.delete(key);
    return reason;
  }
}
