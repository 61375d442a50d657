import type { BusConnection } from "#libs/bus/bus-connection.js";
import { WorkerCommand, type Heartbeat } from "#libs/proto/gen/taskwire/bus/v1/worker.js";
import type { Logger } from "#libs/log/logger.js";
import { isTerminal, TaskState } from "#libs/tasks/task-state.js";
import type { TaskChange } from "#task-service/store/commit.js";
import type { RunningTask, TaskRecord } from "#task-service/store/task-record.js";
import type { TaskStore } from "#task-service/store/task-store.js";
import type { Lease, StaleClaim } from "#task-service/store/write-command.js";

/** What a {@link LeaseKeeper} works with. */
export interface LeaseKeeperOptions {
  readonly store: TaskStore;
  readonly bus: BusConnection;
  readonly logger: Logger;
  /** How long an attempt outlives the last heartbeat that named it. */
  readonly leaseMs: number;
  /** A task that lost so many workers in a row ends FAILED. */
  readonly poisonLosses: number;
  /** Whether reports wait to be applied: an attempt that no heartbeat names may have ended then. */
  readonly isBehind: () => boolean;
  /** Called before the attempt of a lost worker is ended. */
  readonly onExpiring: (taskId: string) => void;
}

interface HeldLease extends Lease {
  /** By the monotonic clock: a wall clock that jumps must not end leases. */
  renewedAtMs: number;
  isCancelRequested: boolean;
  cancelReason: string;
}

interface Named {
  readonly attempt: number;
  readonly workerId: string;
  /** The latest heartbeat. */
  readonly atMs: number;
  /** The first one since it was last looked up. */
  sinceMs: number;
}

const MAX_EXPIRED_PER_COMMAND = 500;
/** By then the report that an attempt has started is applied, or something is wrong. */
const DOUBT_AFTER_MS = 2000;
const MAX_DOUBTS_PER_ROUND = 100;

/**
 * Knows every attempt that a worker holds. Heartbeats renew leases; one that is not renewed in time ends the attempt. Leases live in
 * memory: after a restart every running attempt gets the whole lease time anew, so that living workers can report first. While NATS is
 * away nobody can be heard, and while the database refuses reports nobody is understood: no lease ends then, and all begin anew after it.
 */
export class LeaseKeeper {
  readonly #options: LeaseKeeperOptions;
  readonly #leases = new Map<string, HeldLease>();
  /** Attempts named by heartbeats that are not RUNNING here (yet): taken by a worker, report under way. */
  readonly #named = new Map<string, Named>();
  /** Workers that lost an attempt lately, and when: the leases of one death may run out in different rounds. */
  readonly #losers = new Map<string, number>();

  constructor(options: LeaseKeeperOptions) {
    this.#options = options;
    options.store.onCommit((commit) => {
      for (const change of commit.changes) this.#onChange(change);
    });
    options.bus.onConnectionChange(() => {
      this.#renewAll();
    });
  }

  /** Takes over the attempts that were running before this process. */
  async load(): Promise<readonly RunningTask[]> {
    const running = await this.#options.store.read({ kind: "readRunning" });
    for (const { id, attempt, workerId, isCancelRequested, cancelReason } of running) {
      this.#leases.set(id, { id, attempt, workerId, isCancelRequested, cancelReason, renewedAtMs: performance.now() });
    }
    return running;
  }

  /** Renews what a heartbeat names, or all that its worker holds where it asks for that, and repeats cancels that its worker has not obeyed yet. */
  onHeartbeat(heartbeat: Heartbeat): void {
    const nowMs = performance.now();
    if (heartbeat.renewAll) {
      for (const lease of this.#leases.values()) if (lease.workerId === heartbeat.workerId) lease.renewedAtMs = nowMs;
    }
    for (const { taskId, attempt } of heartbeat.attempts) {
      const { workerId } = heartbeat;
      const lease = this.#leases.get(taskId);
      if (lease?.attempt !== attempt || lease.workerId !== workerId) {
        const known = this.#named.get(taskId);
        const isKnown = known?.attempt === attempt && known.workerId === workerId;
        this.#named.set(taskId, { attempt, workerId, atMs: nowMs, sinceMs: isKnown ? known.sinceMs : nowMs });
        continue;
      }
      lease.renewedAtMs = nowMs;
      if (lease.isCancelRequested) this.#sendCancel(lease);
    }
  }

  /** Whether a living worker says that it holds this attempt. */
  isNamed(taskId: string, attempt: number): boolean {
    const named = this.#named.get(taskId);
    return named?.attempt === attempt && named.atMs + this.#options.leaseMs >= performance.now();
  }

  /** The tasks that living workers say they hold while they are not RUNNING here. */
  namedIds(): readonly string[] {
    const oldestMs = performance.now() - this.#options.leaseMs;
    return [...this.#named].filter(([, { atMs }]) => atMs >= oldestMs).map(([id]) => id);
  }

  /** Tells workers to let go of attempts they no longer hold. */
  abandon(stale: readonly StaleClaim[]): void {
    for (const { taskId, attempt, workerId } of stale) {
      this.#options.logger.warn({ taskId, attempt, workerId }, "stale report refused");
      this.#sendAbandon(taskId, attempt, workerId);
    }
  }

  /** Ends the attempts whose lease ran out. */
  async runOnce(): Promise<void> {
    const { leaseMs, poisonLosses, isBehind, store, bus, logger } = this.#options;
    if (!bus.connected) return;
    if (isBehind()) {
      this.#renewAll();
      return;
    }
    const nowMs = performance.now();
    const oldestMs = nowMs - leaseMs;
    for (const [id, named] of this.#named) if (named.atMs < oldestMs) this.#named.delete(id);
    for (const [workerId, lostAtMs] of this.#losers) if (lostAtMs < oldestMs) this.#losers.delete(workerId);
    await this.#abandonEnded();
    const expired: Lease[] = [];
    for (const lease of this.#leases.values()) {
      if (lease.renewedAtMs >= oldestMs || expired.length >= MAX_EXPIRED_PER_COMMAND) continue;
      const { id, attempt, workerId } = lease;
      expired.push({ id, attempt, workerId, isShared: this.#isShared(lease) });
    }
    if (expired.length === 0) return;
    for (const { id, workerId } of expired) {
      this.#losers.set(workerId, nowMs);
      this.#options.onExpiring(id);
    }
    const result = await store.write({ kind: "expireLeases", leases: expired, poisonLosses });
    if (result.expired > 0) logger.warn({ count: result.expired }, "leases expired");
  }

  #renewAll(): void {
    const nowMs = performance.now();
    for (const lease of this.#leases.values()) lease.renewedAtMs = nowMs;
  }

  #isShared({ id, workerId }: Lease): boolean {
    if (this.#losers.has(workerId)) return true;
    for (const other of this.#leases.values()) if (other.workerId === workerId && other.id !== id) return true;
    return false;
  }

  /**
   * A handler that says nothing is never refused a report: its worker is told when it goes on naming an attempt that is over. Not at
   * once, so that what it has to say is refused, and recorded, first.
   */
  async #abandonEnded(): Promise<void> {
    const nowMs = performance.now();
    const doubtful = [...this.#named].filter(([, { sinceMs }]) => sinceMs <= nowMs - DOUBT_AFTER_MS);
    for (const [id, named] of doubtful.slice(0, MAX_DOUBTS_PER_ROUND)) {
      named.sinceMs = nowMs;
      const task = await this.#options.store.read({ kind: "getTask", id, isFull: false });
      if (task === null || !mayHold(task, named)) this.#sendAbandon(id, named.attempt, named.workerId);
    }
  }

  #sendAbandon(taskId: string, attempt: number, workerId: string): void {
    const { bus } = this.#options;
    const command = WorkerCommand.encode({ kind: { $case: "abandon", value: { taskId, attempt } } }).finish();
    bus.announce(bus.subjects.worker(workerId), command);
  }

  #onChange(change: TaskChange): void {
    if (change.state !== TaskState.RUNNING || change.workerId === null) {
      this.#leases.delete(change.id);
      return;
    }
    const known = this.#leases.get(change.id);
    if (known?.attempt === change.attempt) {
      const isNews = change.isCancelRequested && !known.isCancelRequested;
      known.isCancelRequested = change.isCancelRequested;
      known.cancelReason = change.cancelReason;
      known.renewedAtMs = performance.now();
      if (isNews) this.#sendCancel(known);
      return;
    }
    const { id, attempt, workerId, isCancelRequested, cancelReason } = change;
    const lease: HeldLease = { id, attempt, workerId, isCancelRequested, cancelReason, renewedAtMs: performance.now() };
    this.#leases.set(id, lease);
    this.#named.delete(id);
    if (isCancelRequested) this.#sendCancel(lease);
  }

  #sendCancel(lease: HeldLease): void {
    const { bus } = this.#options;
    const { id: taskId, attempt, cancelReason: reason } = lease;
    const command = WorkerCommand.encode({
      kind: { $case: "cancel", value: { taskId, attempt, reason } },
    }).finish();
    bus.announce(bus.subjects.worker(lease.workerId), command);
  }
}

/** Whether a worker holds an attempt, or will when the report that it has started is applied. */
function mayHold(task: TaskRecord, { attempt, workerId }: Named): boolean {
  if (isTerminal(task.state)) return false;
  return (
    task.attempt < attempt ||
    (task.state === TaskState.RUNNING && task.attempt === attempt && task.workerId === workerId)
  );
}
