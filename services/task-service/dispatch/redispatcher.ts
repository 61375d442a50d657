import type { BusConnection } from "#libs/bus/bus-connection.js";
import type { Logger } from "#libs/log/logger.js";
import { ensureStreams, deleteDispatch, ensureWorkConsumer, readWorkProgress } from "#libs/bus/topology.js";
import type { DispatchWindow, WindowEntry } from "#task-service/dispatch/dispatch-window.js";
import type { Dispatcher } from "#task-service/dispatch/dispatcher.js";
import type { TaskStore } from "#task-service/store/task-store.js";
import type { WorkerRegistry } from "#task-service/workers/worker-registry.js";

/** What a {@link Redispatcher} works with. */
export interface RedispatcherOptions {
  readonly bus: BusConnection;
  readonly store: TaskStore;
  readonly window: DispatchWindow;
  readonly dispatcher: Dispatcher;
  /** Whether a living worker says that it holds an attempt. */
  readonly isNamed: (taskId: string, attempt: number) => boolean;
  readonly registry: WorkerRegistry;
  readonly logger: Logger;
  /** A dispatched task that nobody has started for so long is looked after. */
  readonly afterMs: number;
}

const ROUNDS_PER_TOPOLOGY_CHECK = 5;
const CANCELS_PER_ROUND = 500;

/** Looks after dispatched tasks that no worker starts: NATS may have lost them, or the worker that took them died. */
export class Redispatcher {
  readonly #options: RedispatcherOptions;
  #streamCreated: string | undefined;
  #rounds = 0;

  constructor(options: RedispatcherOptions) {
    this.#options = options;
  }

  /** Makes the next round look at streams and consumers. */
  suspectTopology(): void {
    this.#rounds = 0;
  }

  /** Makes sure that streams and consumers exist; everything dispatched into a stream that is gone is dispatched again at once. */
  async checkTopology(): Promise<void> {
    const { bus, registry, window, logger } = this.#options;
    if (!bus.connected) return;
    const created = await ensureStreams(bus);
    for (const queue of registry.queues()) await ensureWorkConsumer(bus, queue);
    const isNew = this.#streamCreated !== undefined && this.#streamCreated !== created;
    this.#streamCreated = created;
    if (!isNew) return;
    const entries = window.unstarted().filter((entry) => entry.streamSequence !== undefined);
    logger.warn({ count: entries.length }, "work stream was lost, dispatching again");
    for (const entry of entries) this.#options.dispatcher.redispatch(entry);
  }

  /** One round: looks after overdue tasks, and every few rounds at what they travel on. */
  async runOnce(): Promise<void> {
    if (this.#rounds % ROUNDS_PER_TOPOLOGY_CHECK === 0) await this.checkTopology();
    this.#rounds += 1;
    const { bus, store, window, afterMs } = this.#options;
    // Twice the time in which the window's own look after a dispatched task should have ended it.
    await store.write({ kind: "endOldCancels", beforeMs: Date.now() - 2 * afterMs, limit: CANCELS_PER_ROUND });
    if (!bus.connected) return;
    const overdue = window.unstarted(performance.now() - afterMs);
    for (const queue of new Set(overdue.map((entry) => entry.queue))) {
      await this.#lookAfter(
        queue,
        overdue.filter((entry) => entry.queue === queue),
      );
    }
  }

  async #lookAfter(queue: string, entries: readonly WindowEntry[]): Promise<void> {
    const { bus, dispatcher, isNamed, window, logger } = this.#options;
    const progress = await readWorkProgress(bus, queue);
    for (const entry of entries) {
      const { due, streamSequence } = entry;
      if (window.get(entry.id) !== entry || due === undefined || streamSequence === undefined) continue;
      const isWaitingInStream = streamSequence > progress.deliveredSequence && streamSequence <= progress.lastSequence;
      if (entry.isCancelRequested) await this.#endCancelled(entry, streamSequence);
      else if (!isWaitingInStream && !isNamed(entry.id, due.attempt + 1)) {
        logger.warn(
          { taskId: entry.id, attempt: due.attempt + 1, round: entry.round + 1 },
          "nobody started it, dispatching again",
        );
        // JetStream would hand it out again beside the new one, perhaps long after the attempt is over.
        await deleteDispatch(bus, streamSequence);
        if (window.get(entry.id) === entry && entry.due === due) dispatcher.redispatch(entry);
      }
    }
  }

  async #endCancelled(entry: WindowEntry, streamSequence: number): Promise<void> {
    const { bus, store } = this.#options;
    await deleteDispatch(bus, streamSequence);
    await store.write({ kind: "requestCancel", id: entry.id, reason: "", mayBeWithWorker: false });
  }
}
