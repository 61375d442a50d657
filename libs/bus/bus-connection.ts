import { connect, ErrorCode, Events, NatsError, type NatsConnection, type Subscription } from "nats";
import { retryUntilDone } from "#libs/async/retry.js";
import { errorMessage } from "#libs/errors/error-message.js";
import { TaskwireError } from "#libs/errors/taskwire-error.js";
import type { Logger } from "#libs/log/logger.js";
import type { Service } from "#libs/service/service.js";
import { Subjects } from "#libs/bus/subjects.js";

/** Where NATS is and who we are. */
export interface BusOptions {
  /** One or more `nats://host:port`, separated by commas. */
  readonly url: string;
  /** First token of every subject. */
  readonly prefix: string;
  /** Shown in NATS' own lists of connections. */
  readonly name: string;
  readonly logger: Logger;
}

const RECONNECT_WAIT_MS = 500;
const RECONNECT_JITTER_MS = 250;
const PING_INTERVAL_MS = 10_000;

/** UNAVAILABLE because NATS cannot be reached at this moment. */
export function natsUnavailable(cause?: unknown): TaskwireError {
  return new TaskwireError({
    code: "UNAVAILABLE",
    reason: "NATS_UNAVAILABLE",
    message: "NATS is not connected; try again",
    retryAfterMs: 1000,
    cause,
  });
}

/**
 * A connection to NATS that never gives up: it waits for the first connect and reconnects for ever. What is sent while it is
 * disconnected is lost, so callers publish through {@link JetStreamPublisher} or repeat themselves.
 */
export class BusConnection implements Service {
  readonly subjects: Subjects;
  readonly #options: BusOptions;
  readonly #listeners: ((connected: boolean) => void)[] = [];
  readonly #stopping = new AbortController();
  #nats: NatsConnection | undefined;
  #connected = false;

  constructor(options: BusOptions) {
    this.#options = options;
    this.subjects = new Subjects(options.prefix);
  }

  /** Whether a connection stands at this moment. */
  get connected(): boolean {
    return this.#connected;
  }

  /** The client underneath; only for the files of this folder. */
  get nats(): NatsConnection {
    if (this.#nats === undefined) throw natsUnavailable();
    return this.#nats;
  }

  /** Calls the listener at every change of {@link connected}. */
  onConnectionChange(listener: (connected: boolean) => void): void {
    this.#listeners.push(listener);
  }

  /** Tries until it is connected; rejects when it is stopped, or `signal` fires, before that. */
  async start(signal?: AbortSignal): Promise<void> {
    const stopping = this.#stopping.signal;
    let isFirst = true;
    const nats = await retryUntilDone(() => this.#connect(), {
      signal: signal === undefined ? stopping : AbortSignal.any([stopping, signal]),
      waitMs: RECONNECT_WAIT_MS,
      onError: (error) => {
        if (isFirst)
          this.#options.logger.warn({ err: error, url: this.#options.url }, "nats cannot be reached, trying on");
        isFirst = false;
      },
    });
    this.#nats = nats;
    this.#setConnected(true);
    this.#watchStatus(nats).catch((error: unknown) => {
      this.#options.logger.error({ err: error }, "nats status ended");
    });
    if (stopping.aborted) await this.stop();
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new Error("the connection was stopped"));
    const nats = this.#nats;
    if (nats === undefined || nats.isClosed()) return;
    if (this.#connected) await nats.drain().catch(() => nats.close());
    else await nats.close();
    this.#connected = false;
  }

  /** Publishes on core NATS. Lost while disconnected. */
  announce(subject: string, data: Uint8Array): void {
    if (this.#connected) this.nats.publish(subject, data);
  }

  /** Calls the listener for every core message on the subject; `respond` answers a request. Returns the way to end it. */
  listen(subject: string, listener: (data: Uint8Array, respond: (answer: Uint8Array) => void) => void): () => void {
    const subscription: Subscription = this.nats.subscribe(subject, {
      callback: (error, message) => {
        if (error !== null) {
          this.#options.logger.error({ err: error, subject }, "nats subscription failed");
          return;
        }
        listener(message.data, (answer) => void message.respond(answer));
      },
    });
    return () => {
      subscription.unsubscribe();
    };
  }

  /**
   * Asks on core NATS and waits for the first answer. Fails with UNAVAILABLE (`NATS_UNAVAILABLE`, or `NO_RESPONDERS` when nobody
   * listens) or DEADLINE_EXCEEDED (`NO_ANSWER`).
   */
  async request(subject: string, data: Uint8Array, timeoutMs: number): Promise<Uint8Array> {
    if (!this.#connected) throw natsUnavailable();
    try {
      const answer = await this.nats.request(subject, data, { timeout: timeoutMs });
      return answer.data;
    } catch (error) {
      throw requestError(error, timeoutMs);
    }
  }

  #connect(): Promise<NatsConnection> {
    return connect({
      servers: this.#options.url.split(","),
      name: this.#options.name,
      maxReconnectAttempts: -1,
      reconnectTimeWait: RECONNECT_WAIT_MS,
      reconnectJitter: RECONNECT_JITTER_MS,
      pingInterval: PING_INTERVAL_MS,
      noAsyncTraces: true,
    });
  }

  async #watchStatus(nats: NatsConnection): Promise<void> {
    for await (const status of nats.status()) {
      const type: string = status.type;
      if (type === Events.Disconnect) this.#setConnected(false);
      else if (type === Events.Reconnect) this.#setConnected(true);
      else if (type === Events.Error) this.#options.logger.warn({ detail: status.data }, "nats error");
    }
    this.#setConnected(false);
  }

  #setConnected(connected: boolean): void {
    if (this.#connected === connected) return;
    this.#connected = connected;
    if (connected) this.#options.logger.info({ server: this.#nats?.getServer() }, "nats connected");
    else this.#options.logger.warn("nats disconnected");
    for (const listener of this.#listeners) listener(connected);
  }
}

function requestError(error: unknown, timeoutMs: number): TaskwireError {
  if (error instanceof NatsError && error.code === String(ErrorCode.Timeout)) {
    return new TaskwireError({
      code: "DEADLINE_EXCEEDED",
      reason: "NO_ANSWER",
      message: `no answer within ${timeoutMs} ms`,
      cause: error,
    });
  }
  if (error instanceof NatsError && error.code === String(ErrorCode.NoResponders)) {
    return new TaskwireError({
      code: "UNAVAILABLE",
      reason: "NO_RESPONDERS",
      message: "nobody listens on the other side of NATS",
      retryAfterMs: 1000,
      cause: error,
    });
  }
  return new TaskwireError({
    code: "UNAVAILABLE",
    reason: "NATS_UNAVAILABLE",
    message: `NATS failed: ${errorMessage(error)}`,
    retryAfterMs: 1000,
    cause: error,
  });
}
