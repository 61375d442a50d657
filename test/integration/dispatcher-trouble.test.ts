import { join } from "node:path";
import { expect } from "chai";
import { BusConnection } from "#libs/bus/bus-connection.js";
import { JetStreamPublisher } from "#libs/bus/jetstream-publisher.js";
import { ensureStreams } from "#libs/bus/topology.js";
import { silentLogger } from "#libs/log/logger.js";
import { startNatsServer, type NatsServer } from "#libs/nats-server/start-nats-server.js";
import { Heartbeat } from "#libs/proto/gen/taskwire/bus/v1/worker.js";
import { KeyRing, NO_KEYS } from "#libs/sealing/key-ring.js";
import { DispatchWindow } from "#task-service/dispatch/dispatch-window.js";
import { Dispatcher } from "#task-service/dispatch/dispatcher.js";
import { LaneLoader } from "#task-service/dispatch/lane-loader.js";
import { SqliteStore } from "#task-service/store/sqlite/sqlite-store.js";
import { WorkerRegistry } from "#task-service/workers/worker-registry.js";
import { sampleTask } from "#test/conformance/task-store/sample-task.js";
import { freezeProcess } from "#test/support/freeze-process.js";
import { freshDirectory } from "#test/support/fresh-directory.js";
import { until } from "#test/support/until.js";

describe("The dispatcher on a real NATS and a real store", function () {
  this.timeout(30_000);
  const logger = silentLogger();
  const directory = freshDirectory();
  const store = new SqliteStore({ path: join(directory.path, "taskwire.db"), queueCapacity: 1000 });
  let nats: NatsServer;
  let bus: BusConnection;
  let publisher: JetStreamPublisher;
  let registry: WorkerRegistry;
  let window: DispatchWindow;
  let dispatcher: Dispatcher;

  before(async () => {
    nats = await startNatsServer({ storeDir: directory.path });
    bus = new BusConnection({ url: nats.url, prefix: "test", name: "dispatcher", logger });
    publisher = new JetStreamPublisher(bus);
    registry = new WorkerRegistry(bus, { lifetimeMs: 60_000, logger });
    window = new DispatchWindow();
    const lanes = new LaneLoader(store, logger);
    const ring = new KeyRing(NO_KEYS);
    dispatcher = new Dispatcher({ store, bus, publisher, registry, window, lanes, ring, logger });
    await store.start();
    await bus.start();
    await ensureStreams(bus);
    await registry.start();
    dispatcher.open();
    const { type, queue } = sampleTask();
    const heartbeat = Heartbeat.fromPartial({ workerId: "w", queues: [queue], types: [type], slots: 100 });
    bus.announce(bus.subjects.heartbeats, Heartbeat.encode(heartbeat).finish());
    await until("its worker is known", () => registry.isAlive("w"));
  });
  after(async () => {
    dispatcher.close();
    await registry.stop();
    publisher.close();
    await bus.stop();
    await store.stop();
    await nats.stop();
    directory.remove();
  });

  const isInNats = (id: string) => window.get(id)?.streamSequence !== undefined;

  it("dispatches a task whose turn came while it was being read and held back, once it is let go", async () => {
    const task = sampleTask();
    const held = new Promise<void>((resolve) => {
      store.onCommit(({ changes }) => {
        // The dispatcher heard of it first: when this turn is over, it has sent for the task and does not have it yet.
        if (changes.some(({ id }) => id === task.id))
          setImmediate(() => {
            expect(dispatcher.holdBack(task.id), "may be with a worker").to.equal(false);
            resolve();
          });
      });
    });
    await store.write({ kind: "create", tasks: [task] });
    await held;
    await until("it was read", () => !window.has(task.id));
    // The cancel could not be written.
    dispatcher.letGo(task.id, task.queue);
    await until("it is dispatched", () => isInNats(task.id));
  });

  it("takes a task for one that may be with a worker when NATS did not say what became of its dispatch, and sends it again", async () => {
    await freezeProcess(nats.pid);
    const task = sampleTask();
    await store.write({ kind: "create", tasks: [task] });
    await until("it was sent", () => (window.get(task.id)?.sentAtMs ?? 0) > 0);
    await nats.kill();
    await until("it is noticed", () => !bus.connected);
    expect(dispatcher.holdBack(task.id), "may be with a worker").to.equal(true);
    dispatcher.letGo(task.id, task.queue);
    nats = await startNatsServer({ storeDir: directory.path, port: nats.port });
    await until("it is connected again", () => bus.connected);
    await ensureStreams(bus);
    await until("it is dispatched", () => isInNats(task.id));
    expect(window.get(task.id)).to.include({ round: 0 });
  });
});
