import type { BusConnection } from "#libs/bus/bus-connection.js";
import type { JetStreamPublisher } from "#libs/bus/jetstream-publisher.js";
import type { Logger } from "#libs/log/logger.js";
import type { KeyRing } from "#libs/sealing/key-ring.js";
import { isTerminal, TaskState } from "#libs/tasks/task-state.js";
import { HeldBackTasks } from "#task-service/dispatch/held-back-tasks.js";
import { DispatchSender } from "#task-service/dispatch/dispatch-sender.js";
import { dispatchFacts, type DispatchFacts } from "#task-service/dispatch/dispatch-facts.js";
import { windowEntry, type DispatchWindow, type WindowEntry } from "#task-service/dispatch/dispatch-window.js";
import { FreshTasks } from "#task-service/dispatch/fresh-tasks.js";
import { SuspectGate } from "#task-service/dispatch/suspect-gate.js";
import type { BufferedTask } from "#task-service/dispatch/lane-buffer.js";
import type { LaneLoader } from "#task-service/dispatch/lane-loader.js";
import type { Commit, TaskChange } from "#task-service/store/commit.js";
import type { DueTask, NewTask, RunningTask } from "#task-service/store/task-record.js";
import type { TaskStore } from "#task-service/store/task-store.js";
import type { WithWorker } from "#task-service/store/write-command.js";
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
const READ_RETRY_WAIT_MS = 250;
/**
 * Owns which due task goes to NATS next: per queue by priority, then run time, then age, and never more at once than the living
 * workers can take plus a little, so that priority and cancel keep their meaning however many wait.
 */
export class Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #fresh = new FreshTasks();
  readonly #sender: DispatchSender;
  readonly #heldBack = new HeldBackTasks();
  readonly #suspects: SuspectGate;
  /** What may be with a worker of tasks up to this key is not known. */
  #foreignUpToKey = 0;
  #isOpen = false;
  #redispatchCount = 0;
  #isPumpScheduled = false;

  constructor(options: DispatcherOptions) {
    this.#options = options;
    const { store, registry, lanes, window, bus, publisher, ring, logger } = options;
    const onUnconfirmed = () => {
      this.schedulePump();
    };
    this.#sender = new DispatchSender({ bus, publisher, window, ring, logger, onUnconfirmed });
    this.#suspects = new SuspectGate({
      hasWorker: (queue, type) => lanes.get(queue, type) !== undefined,
      hasStarted: (id) => window.has(id) && window.get(id)?.due === undefined,
    });
    store.onCommit((commit) => {
      this.#onCommit(commit);
    });
    registry.onChange(() => {
      lanes.follow(registry);
      this.schedulePump();
    });
    bus.onConnectionChange((connected) => {
      if (connected) this.schedulePump();
    });
    lanes.onLoaded(() => {
      this.schedulePump();
    });
  }

  /** How many dispatches were repeated since the start. */
  get redispatchCount(): number {
    return this.#redispatchCount;
  }

  /** Takes note of what was there before this process: the attempts that run, and the key of the newest task. */
  resume(running: readonly RunningTask[], lastKey: number): void {
    this.#foreignUpToKey = lastKey;
    for (const task of running) {
      const { id, queue, attempt } = task;
      this.#suspects.noteOut(task);
      this.#options.window.add(windowEntry({ id, queue, attempt }));
    }
  }

  /** Takes a task over that the process before this one has dispatched. */
  adopt(due: DueTask, where: Pick<WindowEntry, "round" | "streamSequence" | "isCancelRequested">): void {
    const { id, queue, attempt } = due;
    this.#suspects.noteOut(due);
    const sentAtMs = performance.now();
    this.#options.window.add(windowEntry({ id, queue, attempt: attempt + 1, due, sentAtMs, ...where }));
  }

  /** What dispatch knows of a task and of its queue. */
  lookAt(id: string, queue: string): DispatchFacts {
    const isWaitingApart = this.#suspects.isWaiting(queue, id);
    return dispatchFacts(this.#options.window, { id, queue, isWaitingApart, isOpen: this.#isOpen });
  }

  /** Lets work flow; before, commits are only taken note of. */
  open(): void {
    this.#isOpen = true;
    this.#options.lanes.follow(this.#options.registry);
    this.schedulePump();
  }

  /** Everything that may be with a worker is known now, also what was dispatched before this process. */
  trustWindow(): void {
    this.#foreignUpToKey = 0;
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

  /** Keeps a task from being dispatched while it is cancelled. Returns what of it may be with a worker already. */
  holdBack(id: string, key: number): WithWorker {
    this.#heldBack.hold(id);
    if (key <= this.#foreignUpToKey) return "any";
    const { window } = this.#options;
    return window.isReserved(id) ? null : (window.get(id)?.attempt ?? null);
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

  /**
   * Dispatches a task again that no worker has started and whose dispatch is not in NATS any more. Where no living worker has its type it gives
   * its place up and waits in the database.
   */
  redispatch(entry: WindowEntry): void {
    if (entry.due === undefined) return;
    if (!this.canStart(entry)) {
      this.#leaveWindow(entry);
      this.schedulePump();
      return;
    }
    this.#redispatchCount += 1;
    entry.round += 1;
    this.#sender.send(entry, entry.due);
  }

  /** Whether a living worker could start a dispatched task. */
  canStart({ queue, due }: WindowEntry): boolean {
    return due !== undefined && this.#options.lanes.get(queue, due.type) !== undefined;
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
    const { id, queue, type, attempt, isCancelRequested } = change;
    this.#suspects.noteStarted(queue, id, type);
    const entry = window.isReserved(id) ? undefined : window.get(id);
    if (entry === undefined) window.add(windowEntry({ id, queue, attempt, isCancelRequested }));
    else Object.assign(entry, { attempt, due: undefined });
  }

  #leaveWindow({ queue, id }: Pick<WindowEntry, "queue" | "id">): void {
    this.#options.window.remove(id);
    this.#suspects.leave(queue, id);
  }

  #pump(): void {
    const { bus, registry, window } = this.#options;
    if (!this.#isOpen || !bus.connected) return;
    this.#sender.sendUnconfirmed();
    for (const queue of this.#suspects.queues()) {
      const suspect = this.#suspects.next(queue);
      if (suspect !== undefined) this.#options.lanes.get(queue, suspect.type)?.offer(suspect);
    }
    for (const queue of registry.queues()) {
      const { slots } = registry.capacity(queue);
      const size = slots + Math.max(MIN_HEADROOM, Math.ceil(slots * HEADROOM_SHARE));
      this.#fill(queue, size - window.count(queue));
    }
    this.#options.lanes.loadWhereNeeded((queue, id) => window.has(id) || this.#suspects.isWaiting(queue, id));
  }

  #fill(queue: string, free: number): void {
    const unread: BufferedTask[] = [];
    for (let left = free; left > unread.length;) {
      const task = this.#options.lanes.takeNext(queue);
      if (task === undefined) break;
      if (this.#options.window.has(task.id) || this.#heldBack.keep(task)) continue;
      if (task.due === undefined) unread.push(task);
      else if (this.#dispatch(task.due)) left -= 1;
    }
    if (unread.length > 0) this.#loadAndDispatch(queue, unread);
  }

  /** Returns whether the task took a place in the window. */
  #dispatch(due: DueTask): boolean {
    const { window, lanes } = this.#options;
    const { id, queue, type, key, priority, runTimeMs } = due;
    if (window.has(id) || this.#heldBack.keep({ id, type, key, priority, runTimeMs, due })) return false;
    if (lanes.isLocked(due) || !this.#suspects.admit(due)) return false;
    const entry = windowEntry({ id, queue, attempt: due.attempt + 1, due });
    window.add(entry);
    this.#sender.send(entry, due);
    return true;
  }

  #loadAndDispatch(queue: string, tasks: readonly BufferedTask[]): void {
    const { store, window, logger } = this.#options;
    // Their places in the window are taken while they are read.
    for (const { id } of tasks) window.reserve(id, queue);
    store
      .read({ kind: "loadDue", keys: tasks.map((task) => task.key) })
      .then((found) => {
        const stillDue = new Set(tasks.filter(({ id }) => window.isReserved(id)).map(({ id }) => id));
        for (const id of stillDue) window.remove(id);
        for (const due of found) if (stillDue.has(due.id)) this.#dispatch(due);
        this.schedulePump();
      })
      .catch((error: unknown) => {
        logger.error({ err: error, queue }, "due tasks could not be read");
        for (const task of tasks) {
          if (!window.isReserved(task.id)) continue;
          window.remove(task.id);
          this.#options.lanes.get(queue, task.type)?.offer(task);
        }
        setTimeout(() => {
          this.schedulePump();
        }, READ_RETRY_WAIT_MS).unref();
      });
  }
}
