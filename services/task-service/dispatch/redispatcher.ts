import { FRESH_DISPATCH_MS } from "#libs/bus/bus.js";
import type { BusConnection } from "#libs/bus/bus-connection.js";
import type { Logger } from "#libs/log/logger.js";
import {
  deleteDispatch,
  ensureStreams,
  ensureWorkConsumer,
  readWorkProgress,
  withdrawDispatch,
} from "#libs/bus/topology.js";
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
  /** Whether reports wait to be applied: an attempt may have started then. */
  readonly isBehind: () => boolean;
  readonly registry: WorkerRegistry;
  readonly logger: Logger;
  /** A dispatched task that nobody has started for so long is looked after. */
  readonly afterMs: number;
}

const ROUNDS_PER_TOPOLOGY_CHECK = 5;
const LOOK_AFTER_MS = 1000;
/** Whoever was handed a dispatch has said by then that it has started, or named it in a heartbeat. */
const UNHEARD_MS = 4000;
/** From then on nobody runs a dispatch without asking. */
const STALE_AFTER_MS = FRESH_DISPATCH_MS + 1000;

/** Looks after dispatched tasks that no worker starts: NATS may have lost them, or the worker that took them died. */
export class Redispatcher {
  readonly #options: RedispatcherOptions;
  #streamCreated: string | undefined;
  #rounds = 0;
  #outages = 0;
  #isStreamKnown = false;

  constructor(options: RedispatcherOptions) {
    this.#options = options;
    options.bus.onConnectionChange((connected) => {
      if (connected) return;
      this.#outages += 1;
      this.#isStreamKnown = false;
    });
  }

  /** Whether the work stream is the one in which dispatches were told their sequence. */
  get isStreamKnown(): boolean {
    return this.#isStreamKnown;
  }

  /** Makes the next round look at streams and consumers. */
  suspectTopology(): void {
    this.#rounds = 0;
  }

  /** Makes sure that streams and consumers exist; everything dispatched into a stream that is gone is dispatched again at once. */
  async checkTopology(): Promise<void> {
    const { bus, registry, window, logger } = this.#options;
    if (!bus.connected) return;
    const outages = this.#outages;
    const created = await ensureStreams(bus);
    const unstarted = window.unstarted();
    const queues = new Set([...registry.queues(), ...unstarted.map(({ queue }) => queue)]);
    for (const queue of queues) {
      await ensureWorkConsumer(bus, queue).catch((error: unknown) => {
        logger.warn({ err: error, queue }, "the consumer of a queue cannot be made");
      });
    }
    if (outages !== this.#outages) return;
    const isNew = this.#streamCreated !== undefined && this.#streamCreated !== created;
    this.#streamCreated = created;
    this.#isStreamKnown = true;
    if (!isNew) return;
    const entries = unstarted.filter((entry) => entry.streamSequence !== undefined);
    window.forgetStream();
    logger.warn({ count: entries.length }, "work stream was lost, dispatching again");
    for (const entry of entries) if (!entry.isCancelRequested) this.#options.dispatcher.redispatch(entry);
  }

  /** One round: looks after tasks that have not started, and every few rounds at what they travel on. */
  async runOnce(): Promise<void> {
    const { bus, window, dispatcher, afterMs, isBehind, logger } = this.#options;
    // Should a wake-up have been lost, nothing waits for longer than this.
    dispatcher.schedulePump();
    if (this.#rounds % ROUNDS_PER_TOPOLOGY_CHECK === 0) await this.checkTopology();
    this.#rounds += 1;
    if (!bus.connected || !this.#isStreamKnown || isBehind()) return;
    const unstarted = window.unstarted(performance.now() - Math.min(LOOK_AFTER_MS, afterMs));
    for (const queue of new Set(unstarted.map((entry) => entry.queue))) {
      const entries = unstarted.filter((entry) => entry.queue === queue);
      await this.#lookAfter(queue, entries).catch((error: unknown) => {
        logger.warn({ err: error, queue }, "dispatches of a queue could not be looked after");
      });
    }
  }

  async #lookAfter(queue: string, entries: readonly WindowEntry[]): Promise<void> {
    const { bus, dispatcher, afterMs, isNamed, window } = this.#options;
    const { deliveredSequence, lastSequence } = await readWorkProgress(bus, queue);
    const nowMs = performance.now();
    for (const entry of entries) {
      const { due, streamSequence: at } = entry;
      if (window.get(entry.id) !== entry || due === undefined || at === undefined) continue;
      const isInStream = at > deliveredSequence && at <= lastSequence;
      entry.goneAtMs = isInStream ? undefined : (entry.goneAtMs ?? nowMs);
      const isUnwanted = entry.isCancelRequested || (isOverdueAt(entry, nowMs, afterMs) && !dispatcher.canStart(entry));
      if (isInStream && isUnwanted) await this.#withdraw(entry, at);
      const isOverdue = isOverdueAt(entry, nowMs, afterMs);
      const isUnheard = entry.goneAtMs !== undefined && entry.goneAtMs <= nowMs - Math.min(UNHEARD_MS, afterMs);
      if (isOverdue && isUnheard && !isNamed(entry.id, due.attempt + 1)) await this.#takeBack(entry, at);
    }
  }

  /**
   * Takes a dispatch back that waits in NATS. Ends its task if it is to be cancelled: that came while NATS was away, or before this process knew of
   * it; any other one waits in the database for a worker of its type.
   */
  async #withdraw(entry: WindowEntry, streamSequence: number): Promise<void> {
    const { bus, dispatcher, store, window } = this.#options;
    const { id, queue, due } = entry;
    if (due === undefined || !(await withdrawDispatch(bus, queue, streamSequence))) return;
    if (window.get(id) !== entry || entry.due !== due) return;
    if (entry.isCancelRequested)
      await store.write({ kind: "endCancels", tasks: [{ id, attempt: due.attempt, isUntaken: true }] });
    else dispatcher.redispatch(entry);
  }

  /** Somebody was handed it who is not heard of, or NATS has lost it. */
  async #takeBack(entry: WindowEntry, streamSequence: number): Promise<void> {
    const { bus, dispatcher, store, window, logger } = this.#options;
    const { id, due } = entry;
    if (due === undefined) return;
    // JetStream would hand it out again beside the new one, perhaps long after the attempt is over.
    await deleteDispatch(bus, streamSequence);
    if (window.get(id) !== entry || entry.due !== due) return;
    const { attempt } = due;
    if (entry.isCancelRequested) {
      await store.write({ kind: "endCancels", tasks: [{ id, attempt, isUntaken: false }] });
      return;
    }
    const fields = { taskId: id, attempt: attempt + 1, round: entry.round + 1 };
    logger.warn(fields, "nobody started it, dispatching again");
    dispatcher.redispatch(entry);
  }
}

/** Whether it was dispatched so long ago that it is taken back unless somebody is heard of who has it. */
function isOverdueAt({ sentAtMs, isCancelRequested }: WindowEntry, nowMs: number, afterMs: number): boolean {
  return sentAtMs <= nowMs - (isCancelRequested ? Math.max(afterMs, STALE_AFTER_MS) : afterMs);
}
