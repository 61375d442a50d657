import type { Delivery } from "#libs/bus/bus.js";
import type { BusConnection } from "#libs/bus/bus-connection.js";
import { PullConsumer } from "#libs/bus/pull-consumer.js";
import { ensureStreams, readReportProgress, renewReportConsumer } from "#libs/bus/topology.js";
import { delay } from "#libs/async/delay.js";
import { retryUntilDone } from "#libs/async/retry.js";
import { TaskwireError } from "#libs/errors/taskwire-error.js";
import type { Logger } from "#libs/log/logger.js";
import type { Service } from "#libs/service/service.js";
import type { TaskStore } from "#task-service/store/task-store.js";
import type { StaleClaim, WriteResults } from "#task-service/store/write-command.js";

/** What a {@link ReportIngester} works with. */
export interface ReportIngesterOptions {
  readonly store: TaskStore;
  readonly bus: BusConnection;
  readonly logger: Logger;
  /** Told of claims that were refused. */
  readonly onStale: (stale: readonly StaleClaim[]) => void;
}

/** Report batches in hand at once, each at most 512 KiB. */
const MAX_IN_HAND = 64;
const BEHIND_AFTER_MS = 2000;
const RETRY_WAIT_MS = 1000;
const CATCH_UP_POLL_MS = 25;
/** Only another start helps. */
const LOCKED_WAIT_MS = 600_000;
const LOCKED_ERROR_EVERY_MS = 60_000;

/**
 * Turns workers' reports into facts: what has arrived while the last batches were being committed is applied in the next transaction,
 * and acknowledged only after its commit.
 */
export class ReportIngester implements Service {
  readonly #options: ReportIngesterOptions;
  readonly #stopping = new AbortController();
  #consumer: PullConsumer | undefined;
  #pending: Delivery[] = [];
  #applying: Promise<void> | undefined;
  /** When the batches that are being applied were begun with. */
  #begunAtMs = Infinity;
  #nextLockedErrorMs = 0;
  #lockedCount = 0;

  constructor(options: ReportIngesterOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    const { bus, logger } = this.#options;
    await renewReportConsumer(bus);
    this.#consumer = new PullConsumer(bus, {
      stream: bus.subjects.reportStream,
      consumer: bus.subjects.reportConsumer,
      logger,
      onMissing: async () => {
        await ensureStreams(bus);
        // NATS may be back without the end of the stream, but with how far it was read: a consumer that is kept passes over what comes then.
        await renewReportConsumer(bus);
        this.#lockedCount = 0;
      },
      onDelivery: (delivery) => {
        this.#pending.push(delivery);
        this.#applying ??= this.#applyAll();
      },
    });
    this.#consumer.request(MAX_IN_HAND);
  }

  async stop(): Promise<void> {
    this.#consumer?.stop();
    this.#stopping.abort();
    await this.#applying;
  }

  /** Whether the database has kept reports waiting for a while: what workers said is not all known. */
  get isBehind(): boolean {
    return performance.now() - this.#begunAtMs > BEHIND_AFTER_MS;
  }

  /**
   * Resolves when every report that is in the stream now has been applied, but for those whose key is not here, or after `timeoutMs`. Returns
   * whether it has.
   */
  async catchUp(timeoutMs: number, signal: AbortSignal): Promise<boolean> {
    const { bus } = this.#options;
    const { lastSequence } = await readReportProgress(bus);
    for (const end = performance.now() + timeoutMs; performance.now() < end; await delay(CATCH_UP_POLL_MS, signal)) {
      const { acknowledgedSequence, waiting, unacknowledged } = await readReportProgress(bus);
      // A new consumer's ack floor is 0 until its first acknowledgement, and stays behind batches that lie back for want of their key.
      if (waiting === 0 && unacknowledged <= this.#lockedCount) return true;
      if (acknowledgedSequence >= lastSequence) return true;
    }
    return false;
  }

  async #applyAll(): Promise<void> {
    try {
      while (this.#pending.length > 0) {
        const deliveries = this.#pending;
        this.#pending = [];
        this.#begunAtMs = performance.now();
        await this.#apply(deliveries);
        this.#begunAtMs = Infinity;
        this.#consumer?.request(deliveries.length);
      }
    } catch (error) {
      // What was not acknowledged comes again after the next start.
      if (!this.#stopping.signal.aborted) throw error;
    } finally {
      this.#applying = undefined;
    }
  }

  /** Applies batches, however long the database refuses: a later batch must not overtake an earlier one. */
  async #apply(deliveries: readonly Delivery[]): Promise<void> {
    const { logger, onStale } = this.#options;
    // Copied, because a view of NATS' receive buffer would take the whole buffer along to the writer's thread.
    const batches = deliveries.map((delivery) => Uint8Array.from(delivery.data));
    const result = await retryUntilDone(() => this.#writeUnlessAtFault(batches), {
      signal: this.#stopping.signal,
      waitMs: RETRY_WAIT_MS,
      onError: (error) => {
        logger.error({ err: error, batches: batches.length }, "reports could not be applied, trying again");
      },
    });
    if (result === "at fault") {
      await this.#applyApart(deliveries);
      return;
    }
    const { stale, undecodable, locked, damaged } = result;
    const keyIds = new Map(locked);
    for (const [index, delivery] of deliveries.entries()) {
      const keyId = keyIds.get(index);
      if (keyId === undefined) delivery.ack();
      else this.#onLocked(delivery, keyId);
    }
    if (undecodable > 0) logger.error({ count: undecodable }, "report batches are undecodable, dropped");
    if (damaged > 0) logger.error({ tasks: damaged }, "reports of tasks on a damaged page of the database are dropped");
    if (stale.length > 0) onStale(stale);
  }

  /** Rejects while the database does not take the batches; one of them that cannot be applied by any database is another matter. */
  async #writeUnlessAtFault(batches: readonly Uint8Array[]): Promise<WriteResults["applyReports"] | "at fault"> {
    try {
      return await this.#options.store.write({ kind: "applyReports", batches });
    } catch (error) {
      if (error instanceof TaskwireError && error.code !== "INTERNAL") throw error;
      this.#options.logger.error({ err: error, batches: batches.length }, "reports cannot be applied");
      return "at fault";
    }
  }

  /** Finds the batch that cannot be applied and drops it, so that it does not stop all others: its attempts end by their leases. */
  async #applyApart(deliveries: readonly Delivery[]): Promise<void> {
    const [only] = deliveries;
    if (deliveries.length === 1) {
      only?.ack();
      this.#options.logger.error("a report batch is dropped");
      return;
    }
    for (const delivery of deliveries) await this.#apply([delivery]);
  }

  /**
   * A batch that is sealed with a key that is not here stays in JetStream: the next start, with the key, is handed it anew in its place in
   * the order. All batches of a worker are sealed with one key, so none of them overtakes another.
   */
  #onLocked(delivery: Delivery, keyId: string): void {
    delivery.giveBack(LOCKED_WAIT_MS);
    if (delivery.deliveries === 1) this.#lockedCount += 1;
    const now = performance.now();
    if (now < this.#nextLockedErrorMs) return;
    this.#nextLockedErrorMs = now + LOCKED_ERROR_EVERY_MS;
    this.#options.logger.error({ keyId }, "encryption key is missing, reports stay in JetStream");
  }
}
