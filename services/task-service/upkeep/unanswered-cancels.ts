import type { BusConnection } from "#libs/bus/bus-connection.js";
import type { TaskStore } from "#task-service/store/task-store.js";

/** What {@link UnansweredCancels} works with. */
export interface UnansweredCancelsOptions {
  readonly store: TaskStore;
  readonly bus: BusConnection;
  /** How long a cancel waits for an answer while workers can be heard. */
  readonly patienceMs: number;
  /** Whether reports wait to be applied. */
  readonly isBehind: () => boolean;
  /** The tasks that living workers say they hold, though nothing was reported of it yet. */
  readonly namedIds: () => readonly string[];
}

const CANCELS_PER_ROUND = 500;

/** Ends PENDING tasks whose cancel nobody answers, though whoever might have started them could be heard all the while. */
export class UnansweredCancels {
  readonly #options: UnansweredCancelsOptions;
  #heardSinceMs = Infinity;

  constructor(options: UnansweredCancelsOptions) {
    this.#options = options;
    options.bus.onConnectionChange((connected) => {
      this.#heardSinceMs = connected ? performance.now() : Infinity;
    });
  }

  /** One round. */
  async runOnce(): Promise<void> {
    const { store, bus, patienceMs, isBehind, namedIds } = this.#options;
    if (isBehind() && bus.connected) this.#heardSinceMs = performance.now();
    if (performance.now() - this.#heardSinceMs < patienceMs) return;
    await store.write({
      kind: "endOldCancels",
      beforeMs: Date.now() - patienceMs,
      limit: CANCELS_PER_ROUND,
      spared: namedIds(),
      areUntaken: false,
    });
  }

  /** Ends every cancel that was asked for before it was known what is with workers, but for tasks that are in the window. */
  async endUntaken(idsInWindow: () => readonly string[]): Promise<void> {
    const { store, namedIds } = this.#options;
    const command = { kind: "endOldCancels", beforeMs: Number.MAX_SAFE_INTEGER, areUntaken: true } as const;
    for (;;) {
      // In the same turn as the write: whatever is dispatched and cancelled later is written later.
      const spared = [...idsInWindow(), ...namedIds()];
      const { count } = await store.write({ ...command, spared, limit: CANCELS_PER_ROUND });
      if (count < CANCELS_PER_ROUND) return;
    }
  }
}
