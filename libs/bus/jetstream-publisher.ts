import { createInbox, headers, type Msg } from "nats";
import type { PubAck } from "#libs/bus/bus.js";
import { natsUnavailable, type BusConnection } from "#libs/bus/bus-connection.js";
import { deferred, type Deferred } from "#libs/async/deferred.js";
import { TaskwireError } from "#libs/errors/taskwire-error.js";

interface Waiting {
  readonly ack: Deferred<PubAck>;
  readonly expiresAt: number;
}

/** What JetStream may say. */
interface Answer {
  readonly seq?: unknown;
  readonly duplicate?: unknown;
  readonly error?: { readonly description?: unknown };
}

const SWEEP_MS = 250;

/**
 * Publishes to JetStream and waits for its word that the message is stored. All publishes share one reply inbox, which costs a
 * tenth of one request object each (`js.publish`).
 */
export class JetStreamPublisher {
  readonly #bus: BusConnection;
  readonly #timeoutMs: number;
  readonly #inbox = createInbox();
  /** Written out by every publish before the next one changes it. */
  readonly #headers = headers();
  readonly #waiting = new Map<number, Waiting>();
  #unsubscribe: (() => void) | undefined;
  #sweep: NodeJS.Timeout | undefined;
  #next = 0;

  constructor(bus: BusConnection, options: { timeoutMs?: number } = {}) {
    this.#bus = bus;
    this.#timeoutMs = options.timeoutMs ?? 5000;
    bus.onConnectionChange((connected) => {
      if (!connected) this.#failAll();
    });
  }

  /** How many publishes wait for their answer. */
  get inFlight(): number {
    return this.#waiting.size;
  }

  /**
   * Publishes once. Rejects with UNAVAILABLE when NATS is away, refuses, has no such stream (`STREAM_MISSING`), or does not answer
   * in time; the message may have been stored all the same, so a caller that tries again uses the same `messageId`.
   */
  publish(subject: string, data: Uint8Array, messageId: string): Promise<PubAck> {
    if (!this.#bus.connected) return Promise.reject(natsUnavailable());
    this.#unsubscribe ??= this.#bus.subscribe(`${this.#inbox}.*`, (message) => {
      this.#onAnswer(message);
    });
    const id = this.#next++;
    const ack = deferred<PubAck>();
    this.#waiting.set(id, { ack, expiresAt: performance.now() + this.#timeoutMs });
    this.#sweep ??= setInterval(() => {
      this.#expire();
    }, SWEEP_MS);
    this.#headers.set("Nats-Msg-Id", messageId);
    try {
      this.#bus.nats.publish(subject, data, { reply: `${this.#inbox}.${id}`, headers: this.#headers });
    } catch (error) {
      this.#waiting.delete(id);
      ack.reject(natsUnavailable(error));
    }
    return ack.promise;
  }

  /** Rejects what still waits and lets go of the inbox. */
  close(): void {
    clearInterval(this.#sweep);
    this.#sweep = undefined;
    this.#failAll();
    this.#unsubscribe?.();
    this.#unsubscribe = undefined;
  }

  #onAnswer(message: Msg): void {
    const id = Number(message.subject.slice(this.#inbox.length + 1));
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return;
    this.#waiting.delete(id);
    if (message.headers?.code === 503) {
      waiting.ack.reject(publishRefused("STREAM_MISSING", "the JetStream stream is missing"));
      return;
    }
    const answer = parseAnswer(message.string());
    if (typeof answer.seq !== "number" || answer.error !== undefined) {
      const description = answer.error?.description;
      const detail = typeof description === "string" ? description : "an unreadable answer";
      waiting.ack.reject(publishRefused("PUBLISH_REFUSED", `JetStream refused a message: ${detail}`));
      return;
    }
    waiting.ack.resolve({ streamSequence: answer.seq, duplicate: answer.duplicate === true });
  }

  #expire(): void {
    const now = performance.now();
    for (const [id, waiting] of this.#waiting) {
      // Insertion order is time order: the first one that still has time ends the round.
      if (waiting.expiresAt > now) break;
      this.#waiting.delete(id);
      waiting.ack.reject(publishRefused("PUBLISH_TIMEOUT", `JetStream did not answer within ${this.#timeoutMs} ms`));
    }
    if (this.#waiting.size > 0) return;
    clearInterval(this.#sweep);
    this.#sweep = undefined;
  }

  #failAll(): void {
    for (const waiting of this.#waiting.values()) waiting.ack.reject(natsUnavailable());
    this.#waiting.clear();
  }
}

function publishRefused(reason: string, message: string): TaskwireError {
  return new TaskwireError({ code: "UNAVAILABLE", reason, message, retryAfterMs: 1000 });
}

function parseAnswer(text: string): Answer {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : {};
  } catch {
    return {};
  }
}
