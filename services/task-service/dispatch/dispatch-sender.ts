import { BinaryWriter } from "@bufbuild/protobuf/wire";
import type { BusConnection } from "#libs/bus/bus-connection.js";
import type { JetStreamPublisher } from "#libs/bus/jetstream-publisher.js";
import { DispatchTask } from "#libs/proto/gen/taskwire/bus/v1/dispatch.js";
import type { Logger } from "#libs/log/logger.js";
import { DISPATCH_CONTEXT } from "#libs/sealing/contexts.js";
import type { KeyRing } from "#libs/sealing/key-ring.js";
import type { DispatchWindow, WindowEntry } from "#task-service/dispatch/dispatch-window.js";
import type { DueTask } from "#task-service/store/task-record.js";

/** What a {@link DispatchSender} works with. */
export interface DispatchSenderOptions {
  readonly bus: BusConnection;
  readonly publisher: JetStreamPublisher;
  readonly window: DispatchWindow;
  readonly ring: KeyRing;
  readonly logger: Logger;
  /** Called when {@link DispatchSender.sendUnconfirmed} should be. */
  readonly onUnconfirmed: () => void;
}

const RESEND_WAIT_MS = 250;

/**
 * Publishes dispatches, each under a message id of task, attempt, place in the window and round, so that JetStream drops a copy that is sent
 * again, but not the same attempt of a task that was taken back, or opened again.
 */
export class DispatchSender {
  readonly #options: DispatchSenderOptions;
  /** JetStream did not say that it has them; it may have them all the same. */
  readonly #unconfirmed = new Set<WindowEntry>();
  /** Its buffer is used again for every dispatch; `finish` copies out of it. */
  readonly #writer = new BinaryWriter();

  constructor(options: DispatchSenderOptions) {
    this.#options = options;
  }

  /** Sends a task's next attempt and notes in its entry when, and then where in the stream it is. */
  send(entry: WindowEntry, due: DueTask): void {
    const { bus, publisher, ring, logger } = this.#options;
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
    publisher.publish(bus.subjects.work(due.queue), body, `${due.id}:${attempt}:${entry.token}:${round}`).then(
      (ack) => {
        if (entry.round === round) entry.streamSequence = ack.streamSequence;
      },
      (error: unknown) => {
        logger.warn({ err: error, taskId: due.id, attempt }, "dispatch failed");
        if (entry.due === due && entry.round === round) this.#onUnconfirmed(entry);
      },
    );
  }

  /**
   * Sends again, under the same message id, what JetStream did not confirm a while ago and nobody has started. Not what is to be cancelled: where
   * its dispatch is not in NATS, nobody is to be handed it any more.
   */
  sendUnconfirmed(): void {
    const nowMs = performance.now();
    for (const entry of this.#unconfirmed) {
      const { due, isCancelRequested } = entry;
      const isOver = this.#options.window.get(entry.id) !== entry || due === undefined || isCancelRequested;
      if (!isOver && entry.sentAtMs > nowMs - RESEND_WAIT_MS) continue;
      this.#unconfirmed.delete(entry);
      if (!isOver) this.send(entry, due);
    }
  }

  #onUnconfirmed(entry: WindowEntry): void {
    this.#unconfirmed.add(entry);
    setTimeout(this.#options.onUnconfirmed, RESEND_WAIT_MS).unref();
  }
}
