import type { Logger } from "#libs/log/logger.js";
import type { Report } from "#libs/proto/gen/taskwire/bus/v1/report.js";
import type { KeyRing } from "#libs/sealing/key-ring.js";
import { ReportLane, type PublishBatch, type Ticket } from "#worker/report/report-lane.js";
import { reportBytes } from "#worker/report/report-size.js";

/** What a gatherer needs. */
export interface ReportGathererOptions {
  readonly workerId: string;
  readonly publish: PublishBatch;
  /** Seals the batches. */
  readonly ring: KeyRing;
  /** Bytes of unstored reports from which on {@link ReportGatherer.isCrowded} holds. */
  readonly crowdedBytes: number;
  /** Called when the gatherer is no longer crowded. */
  readonly onRoom: () => void;
  readonly logger: Logger;
  /** Batches under way at once; default 4. */
  readonly lanes?: number;
}

const DEFAULT_LANES = 4;

/**
 * Gathers the reports of a worker into batches, with no timers, and keeps each until it is stored: it tries for ever with the same
 * bytes and message id. All reports of a task take the same lane and are stored in their order.
 *
 * Bounded: when crowded, the worker takes no new tasks and drops log lines and output, so what waits is at most the crowding bound
 * plus the ends of the attempts then running.
 */
export class ReportGatherer {
  readonly #options: ReportGathererOptions;
  readonly #lanes: readonly ReportLane[];
  readonly #abort = new AbortController();
  #number = 0;
  #bytes = 0;

  constructor(options: ReportGathererOptions) {
    this.#options = options;
    this.#lanes = Array.from(
      { length: options.lanes ?? DEFAULT_LANES },
      () =>
        new ReportLane({
          workerId: options.workerId,
          publish: options.publish,
          ring: options.ring,
          nextNumber: () => (this.#number += 1),
          onStored: (bytes) => {
            this.#onStored(bytes);
          },
          signal: this.#abort.signal,
          logger: options.logger,
        }),
    );
  }

  /** Bytes of reports that JetStream does not have yet. */
  get unstoredBytes(): number {
    return this.#bytes;
  }

  /** Whether so much waits to be stored that nothing new should begin. */
  get isCrowded(): boolean {
    return this.#bytes >= this.#options.crowdedBytes;
  }

  /** Takes a report; calls `onStored` when JetStream has it. */
  add(report: Report, onStored?: () => void): Ticket {
    const bytes = reportBytes(report);
    const ticket = { report, bytes, onStored, isTaken: false };
    this.#bytes += bytes;
    this.#laneOf(report.taskId).add(ticket);
    return ticket;
  }

  /** Resolves when everything taken so far and meanwhile is stored. */
  async flush(): Promise<void> {
    await Promise.all(this.#lanes.map((lane) => lane.flushed()));
  }

  /** Gives up: what is not stored is lost, and the service finds out by the lease. */
  close(): void {
    this.#abort.abort();
  }

  #laneOf(taskId: string): ReportLane {
    const lane = this.#lanes[taskId.charCodeAt(taskId.length - 1) % this.#lanes.length] ?? this.#lanes[0];
    if (lane === undefined) throw new Error("a gatherer needs a lane");
    return lane;
  }

  #onStored(bytes: number): void {
    const wasCrowded = this.isCrowded;
    this.#bytes -= bytes;
    if (wasCrowded && !this.isCrowded) this.#options.onRoom();
  }
}
