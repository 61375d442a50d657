import { delay } from "#libs/async/delay.js";
import type { TaskwireClient, Worker } from "#libs/client/taskwire-client.js";

/** The workers that are alive, as the service has told last. */
export class WorkerRoll {
  readonly #client: TaskwireClient;
  #asking: Promise<void> | undefined;
  #workers: readonly Worker[] = [];
  #answerTime: Date | undefined;

  constructor(client: TaskwireClient) {
    this.#client = client;
  }

  get workers(): readonly Worker[] {
    return this.#workers;
  }

  /** When the service has told that, by this machine's clock; undefined: never yet. */
  get answerTime(): Date | undefined {
    return this.#answerTime;
  }

  /** Asks, and resolves with the answer or after so many milliseconds; a late answer counts as well. Rejects when the signal fires. */
  async refresh(patienceMs: number, signal: AbortSignal): Promise<void> {
    this.#asking ??= this.#client
      .workers()
      .then((workers) => {
        this.#workers = workers;
        this.#answerTime = new Date();
      })
      // The age of the last answer tells.
      .catch(() => undefined)
      .finally(() => (this.#asking = undefined));
    const patience = new AbortController();
    const either = AbortSignal.any([signal, patience.signal]);
    const waited = delay(patienceMs, either).catch(() => signal.throwIfAborted());
    try {
      await Promise.race([this.#asking, waited]);
    } finally {
      patience.abort();
    }
  }
}
