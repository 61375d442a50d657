import type { BusConnection } from "#libs/bus/bus-connection.js";
import { deleteDispatch, withdrawDispatch } from "#libs/bus/topology.js";
import type { DispatchWindow } from "#task-service/dispatch/dispatch-window.js";

/** Takes dispatches out of NATS again, as long as it is known where in the work stream they are. */
export class DispatchRecall {
  readonly #bus: BusConnection;
  readonly #window: DispatchWindow;
  readonly #isStreamKnown: () => boolean;

  constructor(bus: BusConnection, window: DispatchWindow, isStreamKnown: () => boolean) {
    this.#bus = bus;
    this.#window = window;
    this.#isStreamKnown = isStreamKnown;
  }

  /** Takes back the dispatch of an attempt. True only if it is certain that no worker was handed it. */
  async withdraw(id: string, attempt: number): Promise<boolean> {
    const entry = this.#window.get(id);
    if (entry?.due === undefined || entry.attempt !== attempt || entry.streamSequence === undefined) return false;
    if (!this.#isStreamKnown()) return false;
    return withdrawDispatch(this.#bus, entry.queue, entry.streamSequence).catch(() => false);
  }

  /** Nobody is to be handed this dispatch any more, whoever was. */
  async discard(id: string): Promise<void> {
    const streamSequence = this.#window.get(id)?.streamSequence;
    if (streamSequence === undefined || !this.#isStreamKnown()) return;
    await deleteDispatch(this.#bus, streamSequence).catch(() => undefined);
  }
}
