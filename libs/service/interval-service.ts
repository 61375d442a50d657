import type { Logger } from "#libs/log/logger.js";
import type { Service } from "#libs/service/service.js";

/** What an {@link IntervalService} does and how often. */
export interface IntervalOptions {
  /** Names the loop in logs. */
  readonly name: string;
  /** Time between the end of one round and the start of the next, in milliseconds. */
  readonly intervalMs: number;
  /** One round. The signal fires when the service stops. */
  readonly runOnce: (signal: AbortSignal) => Promise<void>;
  readonly logger: Logger;
}

/** Runs a round again and again. An error in one round is logged and the loop goes on. */
export class IntervalService implements Service {
  readonly #options: IntervalOptions;
  readonly #abort = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #round: Promise<void> = Promise.resolve();
  #wakeAgain = false;
  #running = false;

  constructor(options: IntervalOptions) {
    this.#options = options;
  }

  start(): Promise<void> {
    this.#schedule(this.#options.intervalMs);
    return Promise.resolve();
  }

  /** Runs the next round at once instead of at its time. */
  wake(): void {
    if (this.#running) this.#wakeAgain = true;
    else this.#schedule(0);
  }

  async stop(): Promise<void> {
    this.#abort.abort();
    clearTimeout(this.#timer);
    await this.#round;
  }

  #schedule(delayMs: number): void {
    clearTimeout(this.#timer);
    if (this.#abort.signal.aborted) return;
    this.#timer = setTimeout(() => {
      this.#round = this.#run();
    }, delayMs);
  }

  async #run(): Promise<void> {
    this.#running = true;
    try {
      await this.#options.runOnce(this.#abort.signal);
    } catch (error) {
      if (!this.#abort.signal.aborted)
        this.#options.logger.error({ err: error, loop: this.#options.name }, "round failed");
    }
    this.#running = false;
    const delayMs = this.#wakeAgain ? 0 : this.#options.intervalMs;
    this.#wakeAgain = false;
    this.#schedule(delayMs);
  }
}
