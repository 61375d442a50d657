/** How the latest samples are spread, in milliseconds; null: there are none. */
export interface Spread {
  readonly p50: number | null;
  readonly p99: number | null;
  /** How many samples that is of. */
  readonly samples: number;
}

const DEFAULT_CAPACITY = 1000;

/** The latest samples of a measure, at most so many. */
export class SampleWindow {
  readonly #capacity: number;
  readonly #samples: number[] = [];
  #next = 0;
  #spread: Spread | undefined;

  constructor(capacity = DEFAULT_CAPACITY) {
    this.#capacity = capacity;
  }

  /** Takes a sample in; the oldest one makes room. */
  add(sample: number): void {
    this.#samples[this.#next] = sample;
    this.#next = (this.#next + 1) % this.#capacity;
    this.#spread = undefined;
  }

  /** Quantiles by nearest rank: samples that were really seen. */
  spread(): Spread {
    this.#spread ??= spreadOf(Float64Array.from(this.#samples).sort());
    return this.#spread;
  }
}

function spreadOf(sorted: Float64Array): Spread {
  const quantile = (share: number) => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? null;
  return { p50: quantile(0.5), p99: quantile(0.99), samples: sorted.length };
}
