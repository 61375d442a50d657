import { join } from "node:path";
import { BusConnection } from "#libs/bus/bus-connection.js";
import { silentLogger } from "#libs/log/logger.js";
import { startNatsServer, type NatsServer } from "#libs/nats-server/start-nats-server.js";
import { Heartbeat } from "#libs/proto/gen/taskwire/bus/v1/worker.js";
import { SqliteStore } from "#task-service/store/sqlite/sqlite-store.js";
import { LeaseKeeper } from "#task-service/upkeep/lease-keeper.js";
import { reportBatch, sampleTask, started, WORKER } from "#test/conformance/task-store/sample-task.js";
import { freshDirectory } from "#test/support/fresh-directory.js";
import { until } from "#test/support/until.js";

/** A lease keeper on a real NATS and a real store, whose rounds and heartbeats are the test's to make. */
export class LeaseBench {
  readonly directory: ReturnType<typeof freshDirectory>;
  readonly store: SqliteStore;
  readonly keeper: LeaseKeeper;
  readonly bus: BusConnection;
  nats: NatsServer;

  private constructor(
    directory: ReturnType<typeof freshDirectory>,
    nats: NatsServer,
    leases: { readonly leaseMs: number; readonly poisonLosses: number },
  ) {
    this.directory = directory;
    this.nats = nats;
    this.store = new SqliteStore({ path: join(directory.path, "taskwire.db"), queueCapacity: 1000 });
    const logger = silentLogger();
    this.bus = new BusConnection({ url: nats.url, prefix: "test", name: "lease-test", logger });
    const { store, bus } = this;
    this.keeper = new LeaseKeeper({
      store,
      bus,
      logger,
      ...leases,
      isBehind: () => false,
      onExpiring: () => undefined,
    });
  }

  static async start(leases: { readonly leaseMs: number; readonly poisonLosses: number }): Promise<LeaseBench> {
    const directory = freshDirectory();
    const bench = new LeaseBench(directory, await startNatsServer({ storeDir: directory.path }), leases);
    await bench.bus.start();
    await bench.store.start();
    return bench;
  }

  async stop(): Promise<void> {
    await this.bus.stop();
    await this.store.stop();
    await this.nats.stop();
    this.directory.remove();
  }

  /** A task that {@link WORKER} runs its first attempt of. */
  async runningTask(): Promise<string> {
    const task = sampleTask();
    await this.store.write({ kind: "create", tasks: [task] });
    await this.store.write({ kind: "applyReports", batches: [reportBatch(task.id, [started])] });
    return task.id;
  }

  /** {@link WORKER} says which first attempts it holds. */
  hear(taskIds: readonly string[]): void {
    const attempts = taskIds.map((taskId) => ({ taskId, attempt: 1 }));
    this.keeper.onHeartbeat(Heartbeat.fromPartial({ workerId: WORKER, attempts }));
  }

  async task(id: string) {
    const task = await this.store.read({ kind: "getTask", id, isFull: false });
    if (task === null) throw new Error(`there is no task ${id}`);
    return task;
  }

  /** Waits by the clock that leases go by. */
  async passes(timeMs: number): Promise<void> {
    const fromMs = performance.now();
    await until(`${timeMs} ms have passed`, () => performance.now() > fromMs + timeMs);
  }
}
