import { createInbox, nanos, type Msg } from "nats";
import type { Delivery } from "#libs/bus/bus.js";
import type { BusConnection } from "#libs/bus/bus-connection.js";
import type { Logger } from "#libs/log/logger.js";

/** What a {@link PullConsumer} reads and whom it tells. */
export interface PullConsumerOptions {
  readonly stream: string;
  readonly consumer: string;
  readonly onDelivery: (delivery: Delivery) => void;
  /** The stream or consumer is gone, or NATS came back: make sure they exist. Asked-for messages are asked for again afterwards. */
  readonly onMissing: () => Promise<void>;
  readonly logger: Logger;
  /**
   * How long one pull request stays open, in milliseconds; default 5,000. nats-server has no answer to one for a consumer that is missing:
   * so long (and the margin) it takes at most until that is noticed, which must be well below the lease.
   */
  readonly expiresMs?: number;
}

interface Pull {
  remaining: number;
  readonly expiresAt: number;
}

const ACK = new TextEncoder().encode("+ACK");
/** What nats-server says to the pull requests that are open when their consumer or its stream is deleted. */
const CONSUMER_DELETED = "Consumer Deleted";
const REPAIR_WAIT_MS = 500;
/** nats-server's pull expiry and ours may differ by this much before a pull counts as lost. */
const EXPIRY_MARGIN_MS = 2000;
/** Open pull requests of one consumer; nats-server allows 512 for all clients of a consumer together. */
const MAX_OPEN_PULLS = 8;

/**
 * Reads a durable JetStream consumer by pull requests of its own making: it never gets more deliveries than were asked for, which
 * the `consume()` of the client library cannot promise.
 */
export class PullConsumer {
  readonly #bus: BusConnection;
  readonly #options: PullConsumerOptions;
  readonly #expiresMs: number;
  readonly #inbox = createInbox();
  readonly #pulls = new Map<number, Pull>();
  readonly #sweep: NodeJS.Timeout;
  #isSubscribed = false;
  #wanted = 0;
  #asked = 0;
  #nextPull = 0;
  #repair: NodeJS.Timeout | undefined;
  #repairing = false;
  #stopped = false;

  constructor(bus: BusConnection, options: PullConsumerOptions) {
    this.#bus = bus;
    this.#options = options;
    this.#expiresMs = options.expiresMs ?? 5000;
    this.#sweep = setInterval(() => {
      this.#dropLostPulls();
    }, 1000);
    bus.onConnectionChange((connected) => {
      this.#forgetPulls();
      if (connected) this.#scheduleRepair(0);
    });
  }

  /** Asked for and not yet delivered. */
  get outstanding(): number {
    return this.#wanted;
  }

  /** Asks for `count` more messages. What expires undelivered is asked for again by itself. */
  request(count: number): void {
    this.#wanted += count;
    this.#pull();
  }

  /** Asks for nothing any more; what is still delivered goes back at once. */
  stop(): void {
    this.#stopped = true;
    this.#wanted = 0;
    clearInterval(this.#sweep);
    clearTimeout(this.#repair);
  }

  #pull(): void {
    const missing = this.#wanted - this.#asked;
    const isRepairDue = this.#repairing || this.#repair !== undefined;
    if (missing <= 0 || this.#stopped || isRepairDue || !this.#bus.connected || this.#pulls.size >= MAX_OPEN_PULLS)
      return;
    if (!this.#isSubscribed) {
      this.#isSubscribed = true;
      this.#bus.subscribe(`${this.#inbox}.*`, (message) => {
        this.#onMessage(message);
      });
    }
    const id = this.#nextPull++;
    this.#pulls.set(id, { remaining: missing, expiresAt: performance.now() + this.#expiresMs });
    this.#asked += missing;
    const { stream, consumer } = this.#options;
    this.#bus.nats.publish(
      `$JS.API.CONSUMER.MSG.NEXT.${stream}.${consumer}`,
      JSON.stringify({ batch: missing, expires: nanos(this.#expiresMs) }),
      { reply: `${this.#inbox}.${id}` },
    );
  }

  #onMessage(message: Msg): void {
    const code = message.headers?.code ?? 0;
    // A message that was asked for has the subject of its stream; an answer about a pull has the pull's inbox.
    if (message.subject.startsWith(this.#inbox)) {
      this.#endPull(Number(message.subject.slice(this.#inbox.length + 1)));
      if (code === 408) {
        this.#pull();
        return;
      }
      if (message.headers?.description === CONSUMER_DELETED) this.#forgetPulls();
      this.#scheduleRepair(REPAIR_WAIT_MS);
      return;
    }
    this.#countDelivery();
    const delivery = this.#deliveryOf(message);
    if (this.#stopped) {
      delivery.giveBack();
      return;
    }
    this.#options.onDelivery(delivery);
  }

  /** nats-server serves the open pulls of one client in the order they came. */
  #countDelivery(): void {
    if (this.#wanted > 0) this.#wanted -= 1;
    if (this.#asked > 0) this.#asked -= 1;
    for (const [id, pull] of this.#pulls) {
      pull.remaining -= 1;
      if (pull.remaining <= 0) this.#pulls.delete(id);
      break;
    }
  }

  #endPull(id: number): void {
    const pull = this.#pulls.get(id);
    if (pull === undefined) return;
    this.#pulls.delete(id);
    this.#asked -= pull.remaining;
  }

  /** Nobody will answer them: those that came after the end of the connection or the consumer get no word. */
  #forgetPulls(): void {
    this.#pulls.clear();
    this.#asked = 0;
  }

  /** A pull that was not even told of its expiry went to a consumer that is missing, or was lost on the way. */
  #dropLostPulls(): void {
    const now = performance.now();
    for (const [id, pull] of this.#pulls) {
      if (pull.expiresAt + EXPIRY_MARGIN_MS >= now) continue;
      this.#endPull(id);
      this.#scheduleRepair(0);
    }
    this.#pull();
  }

  #scheduleRepair(waitMs: number): void {
    if (this.#stopped || this.#repair !== undefined) return;
    this.#repair = setTimeout(() => {
      this.#repair = undefined;
      void this.#runRepair();
    }, waitMs);
  }

  async #runRepair(): Promise<void> {
    this.#repairing = true;
    try {
      await this.#options.onMissing();
      this.#repairing = false;
      this.#pull();
    } catch (error) {
      this.#repairing = false;
      this.#options.logger.warn({ err: error, consumer: this.#options.consumer }, "consumer is missing, trying again");
      this.#scheduleRepair(REPAIR_WAIT_MS);
    }
  }

  #deliveryOf(message: Msg): Delivery {
    const settle = (word: Uint8Array | string) => {
      if (this.#bus.connected && message.reply !== undefined) this.#bus.nats.publish(message.reply, word);
    };
    return {
      data: message.data,
      ...deliveryFacts(message.reply),
      ack: () => {
        settle(ACK);
      },
      giveBack: (delayMs) => {
        settle(delayMs === undefined ? "-NAK" : `-NAK ${JSON.stringify({ delay: nanos(delayMs) })}`);
      },
    };
  }
}

/**
 * What JetStream tells of a delivery in its reply subject: `$JS.ACK.<stream>.<consumer>.<deliveries>.<stream seq>.<consumer seq>.<time>.…`,
 * newer servers with domain and account hash before the stream. The time is in nanoseconds since 1970.
 */
function deliveryFacts(reply = ""): { readonly deliveries: number; readonly ageMs: number } {
  const tokens = reply.split(".");
  const first = tokens.length > 9 ? 6 : 4;
  const deliveries = Number(tokens[first]);
  const storedAtMs = Number(tokens[first + 3]) / 1e6;
  return {
    deliveries: Number.isInteger(deliveries) && deliveries > 0 ? deliveries : 1,
    ageMs: Number.isFinite(storedAtMs) ? Date.now() - storedAtMs : 0,
  };
}
