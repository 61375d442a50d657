import { delay, jitteredBackoffMs } from "#libs/async/delay.js";
import type { Logger } from "#libs/log/logger.js";
import { ReportBatch, type Report } from "#libs/proto/gen/taskwire/bus/v1/report.js";
import { REPORTS_CONTEXT } from "#libs/sealing/contexts.js";
import type { KeyRing } from "#libs/sealing/key-ring.js";
import { MAX_BUS_BODY_BYTES } from "#libs/tasks/limits.js";

/** Stores a batch; rejects when it is not certain that it is stored. Called again with the same bytes and id. */
export type PublishBatch = (data: Uint8Array, messageId: string) => Promise<unknown>;

/** What a lane needs. */
export interface LaneOptions {
  readonly workerId: string;
  readonly publish: PublishBatch;
  /** Seals the batches. */
  readonly ring: KeyRing;
  /** The next batch number of the worker. */
  readonly nextNumber: () => number;
  /** Called with the bytes of every report that is stored. */
  readonly onStored: (bytes: number) => void;
  /** Ends the retries. */
  readonly signal: AbortSignal;
  readonly logger: Logger;
}

/** A report on its way. */
export interface Ticket {
  /** May be changed, within its size, while {@link isTaken} is false. */
  readonly report: Report;
  /** What `reportBytes` says. */
  readonly bytes: number;
  readonly onStored: (() => void) | undefined;
  /** Whether it is part of a batch by now. */
  isTaken: boolean;
}

const RETRY_INITIAL_MS = 50;
const RETRY_MAXIMUM_MS = 2000;

/**
 * One line of report batches, one under way at a time, so that reports of one lane are stored in their order whatever fails in
 * between. What arrives while a batch is under way forms the next one.
 */
export class ReportLane {
  readonly #options: LaneOptions;
  #waiting: Ticket[] = [];
  #busy = false;
  #scheduled = false;
  #idleListeners: (() => void)[] = [];

  constructor(options: LaneOptions) {
    this.#options = options;
  }

  /** Takes a report. */
  add(ticket: Ticket): void {
    this.#waiting.push(ticket);
    if (this.#busy || this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#sendNext();
    });
  }

  /** Resolves when nothing waits and nothing is under way. */
  flushed(): Promise<void> {
    if (!this.#busy && this.#waiting.length === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#idleListeners.push(resolve);
    });
  }

  #sendNext(): void {
    const batch = this.#takeBatch();
    if (batch.length === 0) {
      for (const listener of this.#idleListeners.splice(0)) listener();
      return;
    }
    for (const ticket of batch) ticket.isTaken = true;
    this.#busy = true;
    void this.#store(batch);
  }

  /** What fits into one message, at least one report. */
  #takeBatch(): Ticket[] {
    let bytes = 256;
    let count = 0;
    for (const { bytes: own } of this.#waiting) {
      if (count > 0 && bytes + own > MAX_BUS_BODY_BYTES) break;
      bytes += own;
      count += 1;
    }
    if (count === this.#waiting.length) {
      const all = this.#waiting;
      this.#waiting = [];
      return all;
    }
    return this.#waiting.splice(0, count);
  }

  async #store(batch: readonly Ticket[]): Promise<void> {
    const { workerId, publish, ring, nextNumber, logger, signal, onStored } = this.#options;
    const number = nextNumber();
    const messageId = `${workerId}:${number}`;
    const reports = batch.map((ticket) => ticket.report);
    const data = ring.seal(ReportBatch.encode({ workerId, number, reports }).finish(), REPORTS_CONTEXT);
    for (let round = 0; ; round += 1) {
      try {
        await publish(data, messageId);
        break;
      } catch (error) {
        if (signal.aborted) return;
        // The first try may meet a hiccup; from the second on something is wrong.
        if (round === 1) logger.warn({ err: error, reports: batch.length }, "reports are not stored yet, trying again");
        await delay(jitteredBackoffMs(round, RETRY_INITIAL_MS, RETRY_MAXIMUM_MS), signal).catch(() => undefined);
        if (signal.aborted) return;
      }
    }
    for (const ticket of batch) {
      onStored(ticket.bytes);
      ticket.onStored?.();
    }
    this.#busy = false;
    this.#sendNext();
  }
}
