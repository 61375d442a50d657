import type { BusConnection } from "#libs/bus/bus-connection.js";
import { Heartbeat } from "#libs/proto/gen/taskwire/bus/v1/worker.js";
import type { Logger } from "#libs/log/logger.js";
import type { Service } from "#libs/service/service.js";

/** A worker that is alive. */
export interface LivingWorker {
  readonly heartbeat: Heartbeat;
  /** When it was heard last, milliseconds since 1970 by this clock. */
  readonly lastSeenMs: number;
  /** The same by the monotonic clock, which does not jump. */
  readonly heardAtMs: number;
}

/** What a queue's living workers can take. */
export interface QueueCapacity {
  readonly slots: number;
  readonly types: ReadonlySet<string>;
}

const NO_CAPACITY: QueueCapacity = { slots: 0, types: new Set() };

/** Knows which workers are alive, from their heartbeats. */
export class WorkerRegistry implements Service {
  readonly #bus: BusConnection;
  readonly #lifetimeMs: number;
  readonly #logger: Logger;
  readonly #workers = new Map<string, LivingWorker>();
  readonly #heartbeatListeners: ((heartbeat: Heartbeat) => void)[] = [];
  readonly #changeListeners: (() => void)[] = [];
  #capacities = new Map<string, QueueCapacity>();
  #unsubscribe: (() => void) | undefined;

  /** `lifetimeMs`: a worker not heard of for so long counts as dead. */
  constructor(bus: BusConnection, options: { lifetimeMs: number; logger: Logger }) {
    this.#bus = bus;
    this.#lifetimeMs = options.lifetimeMs;
    this.#logger = options.logger;
  }

  start(): Promise<void> {
    this.#unsubscribe = this.#bus.listen(this.#bus.subjects.heartbeats, (data) => {
      this.#onHeartbeat(data);
    });
    this.#bus.announce(this.#bus.subjects.rollCall, new Uint8Array());
    return Promise.resolve();
  }

  stop(): Promise<void> {
    if (this.#bus.connected) this.#unsubscribe?.();
    this.#unsubscribe = undefined;
    return Promise.resolve();
  }

  /** The living workers by id. */
  living(): readonly LivingWorker[] {
    return [...this.#workers.values()].sort((a, b) => (a.heartbeat.workerId < b.heartbeat.workerId ? -1 : 1));
  }

  /** Whether a worker is alive. */
  isAlive(workerId: string): boolean {
    return this.#workers.has(workerId);
  }

  /** The queues that living workers take tasks from. */
  queues(): Iterable<string> {
    return this.#capacities.keys();
  }

  /** What the living workers of a queue can take together. */
  capacity(queue: string): QueueCapacity {
    return this.#capacities.get(queue) ?? NO_CAPACITY;
  }

  /** Calls the listener with every heartbeat. */
  onHeartbeat(listener: (heartbeat: Heartbeat) => void): void {
    this.#heartbeatListeners.push(listener);
  }

  /** Calls the listener whenever queues, types or slots have changed. */
  onChange(listener: () => void): void {
    this.#changeListeners.push(listener);
  }

  /** Forgets workers that were not heard of in time. */
  forgetSilent(): void {
    const nowMs = performance.now();
    let isChanged = false;
    for (const [id, worker] of this.#workers) {
      if (worker.heardAtMs + this.#lifetimeMs >= nowMs) continue;
      this.#workers.delete(id);
      this.#logger.warn({ workerId: id, lastSeenMs: worker.lastSeenMs }, "worker lost");
      isChanged = true;
    }
    if (isChanged) this.#recount();
  }

  #onHeartbeat(data: Uint8Array): void {
    let heartbeat: Heartbeat;
    try {
      heartbeat = Heartbeat.decode(data);
    } catch (error) {
      this.#logger.warn({ err: error }, "heartbeat is undecodable");
      return;
    }
    const { workerId } = heartbeat;
    const known = this.#workers.get(workerId)?.heartbeat;
    if (heartbeat.leaving) {
      if (this.#workers.delete(workerId)) {
        this.#logger.info({ workerId }, "worker left");
        this.#recount();
      }
      return;
    }
    this.#workers.set(workerId, { heartbeat, lastSeenMs: Date.now(), heardAtMs: performance.now() });
    if (known === undefined)
      this.#logger.info({ workerId, queues: heartbeat.queues, slots: heartbeat.slots }, "worker joined");
    for (const listener of this.#heartbeatListeners) listener(heartbeat);
    if (known === undefined || isDifferent(known, heartbeat)) this.#recount();
  }

  #recount(): void {
    const capacities = new Map<string, { slots: number; types: Set<string> }>();
    for (const { heartbeat } of this.#workers.values()) {
      if (heartbeat.draining) continue;
      for (const queue of heartbeat.queues) {
        const capacity = capacities.get(queue) ?? { slots: 0, types: new Set<string>() };
        capacity.slots += heartbeat.slots;
        for (const type of heartbeat.types) capacity.types.add(type);
        capacities.set(queue, capacity);
      }
    }
    this.#capacities = capacities;
    for (const listener of this.#changeListeners) listener();
  }
}

function isDifferent(a: Heartbeat, b: Heartbeat): boolean {
  return (
    a.draining !== b.draining ||
    a.slots !== b.slots ||
    a.queues.join() !== b.queues.join() ||
    a.types.join() !== b.types.join()
  );
}
