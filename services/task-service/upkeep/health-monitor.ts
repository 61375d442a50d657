import { delay } from "#libs/async/delay.js";
import type { BusConnection } from "#libs/bus/bus-connection.js";
import type { Health } from "#libs/rpc/health.js";
import type { Logger } from "#libs/log/logger.js";
import type { TaskStore } from "#task-service/store/task-store.js";

/** The gRPC services whose health is told. */
export const HEALTH_SERVICES = ["taskwire.v1.TaskService", "taskwire.v1.WorkerService"] as const;

/** A database that takes longer for one write does not serve. */
const PROBE_TIMEOUT_MS = 5000;

/**
 * Tells grpc.health.v1 how things are: TaskService serves while the database takes writes (tasks are accepted then), WorkerService
 * while NATS is connected, and the server as a whole (the empty name) while both do.
 */
export class HealthMonitor {
  readonly #options: {
    readonly store: TaskStore;
    readonly bus: BusConnection;
    readonly health: Health;
    readonly logger: Logger;
  };
  #isWritable = true;

  constructor(options: { store: TaskStore; bus: BusConnection; health: Health; logger: Logger }) {
    this.#options = options;
    options.bus.onConnectionChange(() => {
      this.#tell();
    });
  }

  /** Whether the database took the last write that was tried. */
  get isWritable(): boolean {
    return this.#isWritable;
  }

  /** Writes to the database and says what came of it. */
  async runOnce(): Promise<void> {
    const { store, logger } = this.#options;
    try {
      await withinTime(store.write({ kind: "probe" }), PROBE_TIMEOUT_MS);
      this.#isWritable = true;
    } catch (error) {
      if (this.#isWritable) logger.error({ err: error }, "database takes no writes");
      this.#isWritable = false;
    }
    this.#tell();
  }

  #tell(): void {
    const { bus, health } = this.#options;
    health.set("taskwire.v1.TaskService", this.#isWritable);
    health.set("taskwire.v1.WorkerService", bus.connected);
    health.set("", this.#isWritable && bus.connected);
  }
}

async function withinTime(work: Promise<unknown>, timeoutMs: number): Promise<void> {
  const ended = new AbortController();
  const late = delay(timeoutMs, ended.signal).then(() => {
    throw new Error(`no answer within ${timeoutMs} ms`);
  });
  // Whichever loses the race must not be an unhandled rejection.
  late.catch(() => undefined);
  work.catch(() => undefined);
  try {
    await Promise.race([work, late]);
  } finally {
    ended.abort();
  }
}
