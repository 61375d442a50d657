import { Worker } from "node:worker_threads";
import { deferred } from "#libs/async/deferred.js";
import { delay } from "#libs/async/delay.js";
import type { Logger } from "#libs/log/logger.js";
import type { HeartbeatSetup, HeartbeatState } from "#worker/heartbeat/heartbeat-state.js";

/** What the sender needs. */
export interface HeartbeatSenderOptions {
  readonly setup: HeartbeatSetup;
  /** What is true at this moment. */
  readonly state: () => Omit<HeartbeatState, "draining" | "leaving">;
  readonly logger: Logger;
}

const TELL_EVERY_MS = 250;
const RESTART_WAIT_MS = 1000;
const LEAVE_WAIT_MS = 2000;

/** Keeps the heartbeat thread running and tells it four times a second what to say. */
export class HeartbeatSender {
  readonly #options: HeartbeatSenderOptions;
  readonly #timer: NodeJS.Timeout;
  #thread: Worker | undefined;
  #restart: NodeJS.Timeout | undefined;
  #toldLimitMs = 0;
  #draining = false;
  #leaving = false;

  constructor(options: HeartbeatSenderOptions) {
    this.#options = options;
    this.#startThread();
    this.#timer = setInterval(() => {
      this.#tell();
    }, TELL_EVERY_MS);
    this.#tell();
  }

  /** Makes sure, before a handler can block this thread, that silence of this length is not taken for its end. */
  allowSilence(limitMs: number): void {
    if (limitMs > this.#toldLimitMs) this.#tell();
  }

  /** Says at once that the worker takes nothing new. */
  drain(): void {
    this.#draining = true;
    this.#tell();
  }

  /** Sends the last heartbeat and ends the thread; waits two seconds at most. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    clearTimeout(this.#restart);
    const thread = this.#thread;
    if (thread === undefined) return;
    const gone = deferred<undefined>();
    thread.once("exit", () => {
      gone.resolve(undefined);
    });
    this.#draining = true;
    this.#leaving = true;
    this.#tell();
    const patience = new AbortController();
    await Promise.race([gone.promise, delay(LEAVE_WAIT_MS, patience.signal).catch(() => undefined)]);
    patience.abort();
    await thread.terminate();
  }

  #tell(): void {
    const state = this.#options.state();
    this.#toldLimitMs = state.silenceLimitMs;
    this.#thread?.postMessage({
      ...state,
      draining: this.#draining,
      leaving: this.#leaving,
    } satisfies HeartbeatState);
  }

  #startThread(): void {
    const thread = new Worker(new URL("./heartbeat-thread.js", import.meta.url), {
      workerData: this.#options.setup,
      execArgv: [],
    });
    this.#thread = thread;
    thread.on("error", (error) => {
      this.#options.logger.error({ err: error }, "heartbeat thread failed");
    });
    thread.on("exit", () => {
      this.#thread = undefined;
      if (this.#leaving) return;
      this.#restart = setTimeout(() => {
        this.#startThread();
      }, RESTART_WAIT_MS);
    });
  }
}
