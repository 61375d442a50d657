import type { BusConnection } from "#libs/bus/bus-connection.js";
import type { Health } from "#libs/rpc/health.js";
import type { Logger } from "#libs/log/logger.js";
import type { TaskStore } from "#task-service/store/task-store.js";

/** The gRPC services whose health is told. */
export const HEALTH_SERVICES = ["taskwire.v1.TaskService", "taskwire.v1.WorkerService"] as const;

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
      await store.write({ kind: "probe" });
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
