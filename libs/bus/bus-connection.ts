import {
  connect,
  DebugEvents,
  ErrorCode,
  Events,
  NatsError,
  type Msg,
  type NatsConnection,
  type Subscription,
} from "nats";
import { delay } from "#libs/async/delay.js";
import { retryUntilDone } from "#libs/async/retry.js";
import { errorMessage } from "#libs/errors/error-message.js";
import { TaskwireError } from "#libs/errors/taskwire-error.js";
import type { Logger } from "#libs/log/logger.js";
import { maskCredentials } from "#libs/log/mask-credentials.js";
import type { Service } from "#libs/service/service.js";
import { abandonConnection } from "#libs/bus/abandon-connection.js";
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
/** A connection whose other side has vanished is noticed at the third ping in a row, after 3 to 4.5 s: well within a lease of 10 s. */
const PING_INTERVAL_MS = 1500;
const MAX_PINGS_OUT = 2;
const CONNECT_TIMEOUT_MS = 3000;
const DRAIN_TIMEOUT_MS = 2000;

interface Listening {
  readonly subject: string;
  readonly onMessage: (message: Msg) => void;
  active: Subscription | undefined;
}

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
 * A connection to NATS that never gives up: it waits for the first connect and reconnects for ever, whatever the reason was, and takes its
 * subscriptions along. What is sent while it is disconnected is lost, so callers publish through {@link JetStreamPublisher} or repeat
 * themselves.
 *
 * Every connect is a new client. The library's own reconnecting waits for ever to flush a connection whose other side has vanished, gives up
 * for good when it is refused twice, and mixes up its connections when one answers after its timeout.
 */
export class BusConnection implements Service {
  readonly subjects: Subjects;
  readonly #options: BusOptions;
  readonly #listeners: ((connected: boolean) => void)[] = [];
  readonly #subscriptions = new Set<Listening>();
  readonly #stopping = new AbortController();
  #nats: NatsConnection | undefined;
  #connected = false;

  constructor(options: BusOptions) {
    this.#options = options;
    this.subjects = new Subjects(options.prefix);
  }

  /** Whether a connection stands at this moment. The client underneath knows of its end before the listeners are told. */
  get connected(): boolean {
    return this.#connected && this.#nats?.isClosed() === false;
  }

  /** The client underneath, another one after every reconnect; only for the files of this folder. Throws while disconnected. */
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
    await this.#connect(signal === undefined ? stopping : AbortSignal.any([stopping, signal]));
    if (stopping.aborted) await this.stop();
  }

  /** Sends what is unsent, for two seconds at most, and disconnects. */
  async stop(): Promise<void> {
    this.#stopping.abort(new Error("the connection was stopped"));
    const nats = this.#nats;
    if (nats === undefined) return;
    this.#nats = undefined;
    this.#connected = false;
    const done = new AbortController();
    await Promise.race([nats.drain(), delay(DRAIN_TIMEOUT_MS, done.signal)]).catch(() => undefined);
    done.abort();
    if (!nats.isClosed()) abandonConnection(nats);
  }

  /** Publishes on core NATS. Lost while disconnected. */
  announce(subject: string, data: Uint8Array): void {
    if (this.connected) this.nats.publish(subject, data);
  }

  /**
   * Calls the listener for every core message on the subject; `respond` answers a request, also one that came over an earlier connection.
   * Returns the way to end it.
   */
  listen(subject: string, listener: (data: Uint8Array, respond: (answer: Uint8Array) => void) => void): () => void {
    return this.subscribe(subject, ({ data, reply }) => {
      listener(data, (answer) => {
        if (reply !== undefined && reply !== "") this.announce(reply, answer);
      });
    });
  }

  /** As {@link listen}, with messages of the client library; only for the files of this folder. May be called before `start`. */
  subscribe(subject: string, onMessage: (message: Msg) => void): () => void {
    const listening: Listening = { subject, onMessage, active: undefined };
    if (this.connected) this.#activate(listening, this.nats);
    // What was refused here would be refused after every reconnect.
    this.#subscriptions.add(listening);
    return () => {
      this.#subscriptions.delete(listening);
      if (this.connected) listening.active?.unsubscribe();
    };
  }

  /**
   * Asks on core NATS and waits for the first answer. Fails with UNAVAILABLE (`NATS_UNAVAILABLE`, or `NO_RESPONDERS` when nobody
   * listens) or DEADLINE_EXCEEDED (`NO_ANSWER`).
   */
  async request(subject: string, data: Uint8Array, timeoutMs: number): Promise<Uint8Array> {
    if (!this.connected) throw natsUnavailable();
    const { nats } = this;
    try {
      const answer = await nats.request(subject, data, { timeout: timeoutMs });
      return answer.data;
    } catch (error) {
      // The client library calls it a timeout.
      if (nats.isClosed()) throw natsUnavailable(error);
      throw requestError(error, timeoutMs);
    }
  }

  /** Tries until there is a new client in use. */
  async #connect(signal: AbortSignal): Promise<void> {
    const { url, name, logger } = this.#options;
    let isFirst = true;
    await retryUntilDone(
      async () => {
        const nats = await connect({
          servers: url.split(","),
          name,
          reconnect: false,
          timeout: CONNECT_TIMEOUT_MS,
          pingInterval: PING_INTERVAL_MS,
          maxPingOut: MAX_PINGS_OUT,
          noAsyncTraces: true,
        });
        if (this.#stopping.signal.aborted) abandonConnection(nats);
        else this.#use(nats);
      },
      {
        signal,
        waitMs: RECONNECT_WAIT_MS + Math.random() * RECONNECT_JITTER_MS,
        onError: (error) => {
          if (isFirst) logger.warn({ err: error, url: maskCredentials(url) }, "nats cannot be reached, trying on");
          isFirst = false;
        },
      },
    );
  }

  /** Puts a new client to use. Throws, and lets go of the client, when one of those who need it fails at that. */
  #use(nats: NatsConnection): void {
    this.#nats = nats;
    try {
      for (const listening of this.#subscriptions) this.#activate(listening, nats);
      this.#setConnected(true);
    } catch (error) {
      this.#options.logger.error({ err: error }, "nats connection could not be put to use");
      this.#letGo(nats);
      throw error;
    }
    void this.#keepConnected(nats);
  }

  #letGo(nats: NatsConnection): void {
    this.#nats = undefined;
    this.#setConnected(false);
    abandonConnection(nats);
  }

  #activate(listening: Listening, nats: NatsConnection): void {
    listening.active = nats.subscribe(listening.subject, {
      callback: (error, message) => {
        if (error === null) listening.onMessage(message);
        else this.#options.logger.error({ err: error, subject: listening.subject }, "nats subscription failed");
      },
    });
  }

  /** Waits until the client is of no use any more, and gets another one. */
  async #keepConnected(nats: NatsConnection): Promise<void> {
    // The status of a client does not end with the client.
    await Promise.race([nats.closed(), this.#untilLost(nats)]);
    if (this.#stopping.signal.aborted) return;
    this.#letGo(nats);
    // It rejects only when it is told to stop.
    await this.#connect(this.#stopping.signal).catch(() => undefined);
  }

  /** Resolves when NATS is gone or does not answer any more; says what it says meanwhile. */
  async #untilLost(nats: NatsConnection): Promise<void> {
    const { logger } = this.#options;
    try {
      for await (const status of nats.status()) {
        const type: string = status.type;
        if (type === DebugEvents.StaleConnection) logger.warn("nats does not answer any more");
        if (type === Events.Disconnect || type === DebugEvents.StaleConnection) return;
        if (type === Events.Error) logger.warn({ detail: status.data }, "nats error");
      }
    } catch (error) {
      logger.error({ err: error }, "nats status ended");
    }
  }

  #setConnected(connected: boolean): void {
    if (this.#connected === connected) return;
    this.#connected = connected;
    if (connected) this.#options.logger.info({ server: this.#nats?.getServer() }, "nats connected");
    else this.#options.logger.warn("nats disconnected");
    for (const listener of this.#listeners) {
      try {
        listener(connected);
      } catch (error) {
        // Without a connection, getting another one comes first.
        if (connected) throw error;
        this.#options.logger.error({ err: error }, "listener failed at a disconnect");
      }
    }
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
