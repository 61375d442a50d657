import { delay, jitteredBackoffMs } from "#libs/async/delay.js";
import { isCut } from "#libs/client/is-cut.js";
import type { Channel, ClientMethod } from "#libs/rpc/channel.js";

/** How a {@link Caller} calls. */
export interface CallerOptions {
  /** How long one try may take, in milliseconds. */
  readonly callTimeoutMs: number;
  /** How long calls are tried again while the service is UNAVAILABLE or the connection breaks, in milliseconds; 0: never. */
  readonly retryForMs: number;
}

const INITIAL_BACKOFF_MS = 100;
const MAX_BACKOFF_MS = 2000;

/** Makes calls that may be repeated, and repeats them while the service is UNAVAILABLE or the connection breaks. */
export class Caller {
  readonly #channel: Channel;
  readonly #options: CallerOptions;
  readonly #closed = new AbortController();

  constructor(channel: Channel, options: CallerOptions) {
    this.#channel = channel;
    this.#options = options;
  }

  /** Whether calls are tried again at all. */
  get retries(): boolean {
    return this.#options.retryForMs > 0;
  }

  /** One call, tried again with jittered backoff when it fails with UNAVAILABLE or is cut. */
  async call<Request, Response>(
    method: ClientMethod<Request, Response>,
    request: Request | Uint8Array,
    signal?: AbortSignal,
  ): Promise<Response> {
    const started = performance.now();
    for (let round = 0; ; round += 1) {
      try {
        return await this.once(method, request, this.#options.callTimeoutMs, signal);
      } catch (error) {
        const left = started + this.#options.retryForMs - performance.now();
        if (!isCut(error) || left <= 0 || this.#closed.signal.aborted) throw error;
        await this.#pause(Math.min(left, jitteredBackoffMs(round, INITIAL_BACKOFF_MS, MAX_BACKOFF_MS)), error, signal);
      }
    }
  }

  /** One call, tried once. `timeoutMs`: default that of all calls. */
  once<Request, Response>(
    method: ClientMethod<Request, Response>,
    request: Request | Uint8Array,
    timeoutMs = this.#options.callTimeoutMs,
    signal?: AbortSignal,
  ): Promise<Response> {
    return this.#channel.unary(method, request, signal === undefined ? { timeoutMs } : { timeoutMs, signal });
  }

  /** Gives up on calls that wait to be tried again. */
  close(): void {
    this.#closed.abort();
  }

  async #pause(delayMs: number, error: unknown, signal: AbortSignal | undefined): Promise<void> {
    const signals = signal === undefined ? this.#closed.signal : AbortSignal.any([signal, this.#closed.signal]);
    try {
      await delay(delayMs, signals);
    } catch {
      signal?.throwIfAborted();
      throw error;
    }
  }
}
