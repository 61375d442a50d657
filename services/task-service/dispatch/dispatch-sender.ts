import { BinaryWriter } from "@bufbuild/protobuf/wire";
import type { BusConnection } from "#libs/bus/bus-connection.js";
import type { JetStreamPublisher } from "#libs/bus/jetstream-publisher.js";
import { DispatchTask } from "#libs/proto/gen/taskwire/bus/v1/dispatch.js";
import type { Logger } from "#libs/log/logger.js";
import { DISPATCH_CONTEXT } from "#libs/sealing/contexts.js";
import type { KeyRing } from "#libs/sealing/key-ring.js";
import type { WindowEntry } from "#task-service/dispatch/dispatch-window.js";
import type { DueTask } from "#task-service/store/task-record.js";

/** What a {@link DispatchSender} works with. */
export interface DispatchSenderOptions {
  readonly bus: BusConnection;
  readonly publisher: JetStreamPublisher;
  readonly ring: KeyRing;
  readonly logger: Logger;
  /** JetStream did not say that it has the dispatch; it may have it all the same. */
  readonly onFailed: (entry: WindowEntry, due: DueTask) => void;
}

/**
 * Publishes dispatches, each under a message id of task, attempt, sequence and round, so that JetStream drops a copy that is sent again, but
 * not the same attempt of a task that was opened again.
 */
export class DispatchSender {
  readonly #options: DispatchSenderOptions;
  /** Its buffer is used again for every dispatch; `finish` copies out of it. */
  readonly #writer = new BinaryWriter();

  constructor(options: DispatchSenderOptions) {
    this.#options = options;
  }

  /** Sends a task's next attempt and notes in its entry when, and then where in the stream it is. */
  send(entry: WindowEntry, due: DueTask): void {
    const { bus, publisher, ring, logger, onFailed } = this.#options;
    const attempt = due.attempt + 1;
    const message: DispatchTask = {
      taskId: due.id,
      type: due.type,
      queue: due.queue,
      attempt,
      round: entry.round,
      payloadJson: due.payloadJson,
      maxAttempts: due.maxAttempts,
      softTimeoutMs: due.softTimeoutMs,
      hardTimeoutMs: due.hardTimeoutMs,
      memoryBytes: due.memoryBytes,
    };
    const body = ring.seal(DispatchTask.encode(message, this.#writer).finish(), DISPATCH_CONTEXT);
    const { round } = entry;
    entry.sentAtMs = performance.now();
    entry.streamSequence = undefined;
    entry.goneAtMs = undefined;
    publisher.publish(bus.subjects.work(due.queue), body, `${due.id}:${attempt}:${due.sequence}:${entry.round}`).then(
      (ack) => {
        if (entry.round === round) entry.streamSequence = ack.streamSequence;
      },
      (error: unknown) => {
        logger.warn({ err: error, taskId: due.id, attempt }, "dispatch failed");
        onFailed(entry, due);
      },
    );
  }
}
