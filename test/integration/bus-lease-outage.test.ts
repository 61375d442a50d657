import { join } from "node:path";
import { expect } from "chai";
import { BusConnection } from "#libs/bus/bus-connection.js";
import { silentLogger } from "#libs/log/logger.js";
import { startNatsServer } from "#libs/nats-server/start-nats-server.js";
import { TaskState } from "#libs/tasks/task-state.js";
import { SqliteStore } from "#task-service/store/sqlite/sqlite-store.js";
import { LeaseKeeper } from "#task-service/upkeep/lease-keeper.js";
import { reportBatch, sampleTask, started } from "#test/conformance/task-store/sample-task.js";
import { freshDirectory } from "#test/support/fresh-directory.js";
import { until } from "#test/support/until.js";

const LEASE_MS = 300;

describe("LeaseKeeper and a NATS that goes away", () => {
  it("ends no lease while nobody can be heard, and silent ones a whole lease time after that", async () => {
    const directory = freshDirectory();
    let server = await startNatsServer({ storeDir: directory.path });
    const logger = silentLogger();
    const bus = new BusConnection({ url: server.url, prefix: "test", name: "lease-test", logger });
    const store = new SqliteStore({ path: join(directory.path, "taskwire.db"), queueCapacity: 1000 });
    const keeper = new LeaseKeeper({
      store,
      bus,
      logger,
      leaseMs: LEASE_MS,
      poisonLosses: 3,
      isBehind: () => false,
      onExpiring: () => undefined,
    });
    try {
      await bus.start();
      await store.start();
      const task = sampleTask();
      const stateAfterRound = async () => {
        await keeper.runOnce();
        return (await store.read({ kind: "getTask", id: task.id, isFull: false }))?.state;
      };
      const leaseTimePasses = async () => {
        const from = Date.now();
        await until("the lease time has passed", () => Date.now() > from + LEASE_MS + 10);
      };
      await store.write({ kind: "create", tasks: [task] });
      await store.write({ kind: "applyReports", batches: [reportBatch(task.id, [started])] });
      await server.kill();
      await until("it is noticed", () => !bus.connected);
      await leaseTimePasses();
      expect(await stateAfterRound()).to.equal(TaskState.RUNNING);
      server = await startNatsServer({ storeDir: directory.path, port: server.port });
      await until("it is connected again", () => bus.connected);
      expect(await stateAfterRound()).to.equal(TaskState.RUNNING);
      await leaseTimePasses();
      expect(await stateAfterRound()).to.equal(TaskState.PENDING);
    } finally {
      await bus.stop();
      await store.stop();
      await server.stop();
      directory.remove();
    }
  });
});
