import type { BusConnection } from "#libs/bus/bus-connection.js";
import type { JetStreamPublisher } from "#libs/bus/jetstream-publisher.js";
import type { Logger } from "#libs/log/logger.js";
import type { KeyRing } from "#libs/sealing/key-ring.js";
import { isTerminal, TaskState } from "#libs/tasks/task-state.js";
import { HeldBackTasks } from "#task-service/dispatch/held-back-tasks.js";
import { DispatchSender } from "#task-service/dispatch/dispatch-sender.js";
import { windowEntry, type DispatchWindow, type WindowEntry } from "#task-service/dispatch/dispatch-window.js";
import { FreshTasks } from "#task-service/dispatch/fresh-tasks.js";
import { SuspectGate } from "#task-service/dispatch/suspect-gate.js";
import type { BufferedTask } from "#task-service/dispatch/lane-buffer.js";
import type { LaneLoader } from "#task-service/dispatch/lane-loader.js";
import type { Commit, TaskChange } from "#task-service/store/commit.js";
import type { DueTask, NewTask } from "#task-service/store/task-record.js";
import type { TaskStore } from "#task-service/store/task-store.js";
import type { WorkerRegistry } from "#task-service/workers/worker-registry.js";

/** What a {@link Dispatcher} works with. */
export interface DispatcherOptions {
  readonly store: TaskStore;
  readonly bus: BusConnection;
  readonly publisher: JetStreamPublisher;
  readonly registry: WorkerRegistry;
  readonly window: DispatchWindow;
  readonly lanes: LaneLoader;
  readonly ring: KeyRing;
  readonly logger: Logger;
}

/** Tasks beyond the workers' slots that wait in NATS, as a share of the slots: they hide the way from commit to worker. */
const HEADROOM_SHARE = 0.25;
const MIN_HEADROOM = 2;
const RESEND_WAIT_MS = 250;
/** When an entry was sent that only keeps a place while its task is read. */
const NOT_SENT_MS = -1;

/**
 * Owns which due task goes to NATS next: per queue by priority, then run time, then age, and never more at once than the living
 * workers can take plus a little, so that priority and cancel keep their meaning however many wait.
 */
export class Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #fresh = new FreshTasks();
  readonly #sender: DispatchSender;
  readonly #heldBack = new HeldBackTasks();
  readonly #suspects = new SuspectGate();
  /** JetStream did not say that it has them. */
  readonly #unconfirmed = new Set<WindowEntry>();
  #isOpen = false;
  #isWindowWhole = false;
  #redispatchCount = 0;
  #isPumpScheduled = false;

  constructor(options: DispatcherOptions) {
    this.#options = options;
    const { bus, publisher, ring, logger } = options;
    this.#sender = new DispatchSender({
      bus,
      publisher,
      ring,
      logger,
      onFailed: (entry, due) => {
        if (entry.due === due) this.#onUnconfirmed(entry);
      },
    });
    options.store.onCommit((commit) => {
      this.#onCommit(commit);
    });
    options.registry.onChange(() => {
      options.lanes.follow(options.registry);
      this.schedulePump();
    });
    options.bus.onConnectionChange((connected) => {
      if (connected) this.schedulePump();
    });
    options.lanes.onLoaded(() => {
      this.schedulePump();
    });
  }

  /** How many dispatches were repeated since the start. */
  get redispatchCount(): number {
    return this.#redispatchCount;
  }

  /** Counts an attempt that was running before this process. */
  resume({ id, queue, workerLosses }: Pick<DueTask, "id" | "queue" | "workerLosses">): void {
    this.#suspects.noteOut(queue, id, workerLosses);
    this.#options.window.add(windowEntry({ id, queue }));
  }

  /** Takes over a task that the process before this one has dispatched. */
  adopt(due: DueTask, where: Pick<WindowEntry, "round" | "streamSequence" | "isCancelRequested">): void {
    const { id, queue, workerLosses } = due;
    if (this.#options.window.has(id)) return;
    this.#suspects.noteOut(queue, id, workerLosses);
    this.#options.window.add(windowEntry({ id, queue, due, sentAtMs: performance.now(), ...where }));
  }

  /** Lets work flow: whatever was dispatched before is known. Before, commits are only taken note of. */
  open(): void {
    this.#isOpen = true;
    this.#isWindowWhole = true;
    this.#options.lanes.follow(this.#options.registry);
    this.schedulePump();
  }

  /** Stops dispatching. */
  close(): void {
    this.#isOpen = false;
  }

  /** Remembers the payloads of tasks about to be committed, so that they can go straight from the commit to NATS. */
  expect(tasks: readonly NewTask[]): void {
    this.#fresh.add(tasks);
  }

  /** Forgets expected tasks whose commit failed. */
  forget(tasks: readonly NewTask[]): void {
    for (const task of tasks) this.#fresh.forget(task.id);
  }

  /** Keeps a task from being dispatched while it is cancelled. Returns whether it may be with a worker already. */
  holdBack(id: string): boolean {
    this.#heldBack.hold(id);
    const entry = this.#options.window.get(id);
    return !this.#isWindowWhole || (entry !== undefined && !isPlaceholder(entry));
  }

  /** Ends {@link holdBack}. */
  letGo(id: string, queue: string): void {
    const task = this.#heldBack.letGo(id);
    if (task === undefined) return;
    this.#options.lanes.get(queue, task.type)?.offer(task);
    this.schedulePump();
  }

  /** Dispatches what can be, once this turn of the event loop is over. */
  schedulePump(): void {
    if (this.#isPumpScheduled) return;
    this.#isPumpScheduled = true;
    setImmediate(() => {
      this.#isPumpScheduled = false;
      this.#pump();
    });
  }

  /** Dispatches a task again that no worker has started. */
  redispatch(entry: WindowEntry): void {
    if (entry.due === undefined) return;
    this.#redispatchCount += 1;
    entry.round += 1;
    this.#sender.send(entry, entry.due);
  }

  #onCommit(commit: Commit): void {
    for (const change of commit.changes) this.#onChange(change);
    this.schedulePump();
  }

  #onChange(change: TaskChange): void {
    const { window, lanes } = this.#options;
    const lane = lanes.get(change.queue, change.type);
    if (change.state === TaskState.PENDING && !change.isWaiting) {
      const entry = window.get(change.id);
      // A cancel that was asked for while the task is in NATS leaves it where it is.
      if (entry?.due?.attempt === change.attempt) {
        entry.isCancelRequested = change.isCancelRequested;
        return;
      }
      if (!change.isCancelRequested) {
        this.#leaveWindow(change);
        const { id, type, key, priority, runTimeMs } = change;
        const due = this.#fresh.take(id, key);
        lane?.offer({ id, type, key, priority, runTimeMs, due });
        return;
      }
    }
    this.#fresh.forget(change.id);
    lane?.remove(change.id);
    this.#heldBack.drop(change.id);
    if (isTerminal(change.state) || change.state === TaskState.PENDING) {
      this.#leaveWindow(change);
      return;
    }
    const { id, queue, isCancelRequested } = change;
    const entry = window.get(id);
    if (entry === undefined) window.add(windowEntry({ id, queue, isCancelRequested }));
    else entry.due = undefined;
  }

  #leaveWindow({ queue, id }: TaskChange): void {
    this.#options.window.remove(id);
    this.#suspects.leave(queue, id);
    const suspect = this.#suspects.next(queue);
    if (suspect !== undefined) this.#options.lanes.get(queue, suspect.type)?.offer(suspect);
  }

  #pump(): void {
    const { bus, registry, window } = this.#options;
    if (!this.#isOpen || !bus.connected) return;
    this.#sendUnconfirmed();
    for (const queue of registry.queues()) {
      const { slots } = registry.capacity(queue);
      const size = slots + Math.max(MIN_HEADROOM, Math.ceil(slots * HEADROOM_SHARE));
      this.#fill(queue, size - window.count(queue));
    }
    this.#options.lanes.loadWhereNeeded((queue, id) => window.has(id) || this.#suspects.isWaiting(queue, id));
  }

  #fill(queue: string, free: number): void {
    const unread: BufferedTask[] = [];
    for (let left = free; left > 0; left -= 1) {
      const task = this.#options.lanes.takeNext(queue);
      if (task === undefined) break;
      if (this.#heldBack.keep(task)) continue;
      if (task.due === undefined) unread.push(task);
      else this.#dispatch(task.due);
    }
    if (unread.length > 0) this.#loadAndDispatch(queue, unread);
  }

  #dispatch(due: DueTask): void {
    const { window, lanes } = this.#options;
    const { id, queue, type, key, priority, runTimeMs } = due;
    if (window.has(id) || this.#heldBack.keep({ id, type, key, priority, runTimeMs, due })) return;
    if (lanes.isLocked(due) || !this.#suspects.admit(due)) return;
    const entry = windowEntry({ id, queue, due });
    window.add(entry);
    this.#sender.send(entry, due);
  }

  #loadAndDispatch(queue: string, tasks: readonly BufferedTask[]): void {
    const { store, window, logger } = this.#options;
    // Their places in the window are taken while they are read.
    for (const { id } of tasks) window.add(windowEntry({ id, queue, sentAtMs: NOT_SENT_MS }));
    store
      .read({ kind: "loadDue", keys: tasks.map((task) => task.key) })
      .then((found) => {
        const stillDue = new Set(tasks.filter(({ id }) => isPlaceholder(window.get(id))).map(({ id }) => id));
        for (const id of stillDue) window.remove(id);
        for (const due of found) if (stillDue.has(due.id)) this.#dispatch(due);
        this.schedulePump();
      })
      .catch((error: unknown) => {
        logger.error({ err: error, queue }, "due tasks could not be read");
        for (const task of tasks) {
          if (!isPlaceholder(window.get(task.id))) continue;
          window.remove(task.id);
          this.#options.lanes.get(queue, task.type)?.offer(task);
        }
      });
  }

  /** JetStream may have the dispatch all the same, so its task keeps its place, and the same message id goes out again. */
  #onUnconfirmed(entry: WindowEntry): void {
    this.#unconfirmed.add(entry);
    setTimeout(() => {
      this.schedulePump();
    }, RESEND_WAIT_MS).unref();
  }

  #sendUnconfirmed(): void {
    const nowMs = performance.now();
    for (const entry of this.#unconfirmed) {
      const { due } = entry;
      const isOver = this.#options.window.get(entry.id) !== entry || due === undefined;
      if (!isOver && entry.sentAtMs > nowMs - RESEND_WAIT_MS) continue;
      this.#unconfirmed.delete(entry);
      if (!isOver) this.#sender.send(entry, due);
    }
  }
}

function isPlaceholder(entry: WindowEntry | undefined): boolean {
  return entry?.sentAtMs === NOT_SENT_MS;
}
