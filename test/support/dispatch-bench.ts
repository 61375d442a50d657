import { join } from "node:path";
import { BusConnection } from "#libs/bus/bus-connection.js";
import { JetStreamPublisher } from "#libs/bus/jetstream-publisher.js";
import { PullConsumer } from "#libs/bus/pull-consumer.js";
import { ensureStreams, ensureWorkConsumer } from "#libs/bus/topology.js";
import { silentLogger } from "#libs/log/logger.js";
import { startNatsServer, type NatsServer } from "#libs/nats-server/start-nats-server.js";
import { DispatchTask } from "#libs/proto/gen/taskwire/bus/v1/dispatch.js";
import { Heartbeat } from "#libs/proto/gen/taskwire/bus/v1/worker.js";
import { KeyRing, NO_KEYS } from "#libs/sealing/key-ring.js";
import { DispatchWindow } from "#task-service/dispatch/dispatch-window.js";
import { Dispatcher } from "#task-service/dispatch/dispatcher.js";
import { LaneLoader } from "#task-service/dispatch/lane-loader.js";
import { Redispatcher } from "#task-service/dispatch/redispatcher.js";
import { SqliteStore } from "#task-service/store/sqlite/sqlite-store.js";
import { WorkerRegistry } from "#task-service/workers/worker-registry.js";
import { reportBatch, started, WORKER } from "#test/conformance/task-store/sample-task.js";
import { freshDirectory } from "#test/support/fresh-directory.js";
import { until } from "#test/support/until.js";

/** After so long an unstarted dispatch is looked after. */
const AFTER_MS = 500;
const NEVER_POISONED = 1000;

/** The dispatcher and who looks after it, on a real NATS and a real store; their workers, and their rounds, are the test's to make. */
export class DispatchBench {
  readonly logger = silentLogger();
  readonly ring = new KeyRing(NO_KEYS);
  readonly directory: ReturnType<typeof freshDirectory>;
  readonly store: SqliteStore;
  readonly bus: BusConnection;
  readonly publisher: JetStreamPublisher;
  readonly registry: WorkerRegistry;
  readonly window = new DispatchWindow();
  readonly dispatcher: Dispatcher;
  readonly redispatcher: Redispatcher;
  nats: NatsServer;
  #pulls: PullConsumer[] = [];

  private constructor(directory: ReturnType<typeof freshDirectory>, nats: NatsServer) {
    this.directory = directory;
    this.nats = nats;
    const { logger, ring, window } = this;
    const store = new SqliteStore({ path: join(directory.path, "taskwire.db"), queueCapacity: 1000 });
    const bus = new BusConnection({ url: nats.url, prefix: "test", name: "dispatcher", logger });
    const publisher = new JetStreamPublisher(bus);
    const registry = new WorkerRegistry(bus, { lifetimeMs: 60_000, logger });
    const lanes = new LaneLoader(store, logger);
    const dispatcher = new Dispatcher({ store, bus, publisher, registry, window, lanes, ring, logger });
    const looking = { isNamed: () => false, isBehind: () => false, afterMs: AFTER_MS };
    this.redispatcher = new Redispatcher({ store, bus, registry, window, dispatcher, logger, ...looking });
    this.store = store;
    this.bus = bus;
    this.publisher = publisher;
    this.registry = registry;
    this.dispatcher = dispatcher;
  }

  static async start(): Promise<DispatchBench> {
    const directory = freshDirectory();
    const bench = new DispatchBench(directory, await startNatsServer({ storeDir: directory.path }));
    await bench.store.start();
    await bench.bus.start();
    await ensureStreams(bench.bus);
    await bench.registry.start();
    return bench;
  }

  async stop(): Promise<void> {
    for (const pull of this.#pulls) pull.stop();
    this.dispatcher.close();
    await this.registry.stop();
    this.publisher.close();
    await this.bus.stop();
    await this.store.stop();
    await this.nats.stop();
    this.directory.remove();
  }

  /** A worker with these types on a queue is alive; with none, it leaves. */
  async hear(workerId: string, queue: string, types: readonly string[]): Promise<void> {
    const leaving = types.length === 0;
    const heartbeat = Heartbeat.fromPartial({ workerId, queues: [queue], types: [...types], slots: 100, leaving });
    this.bus.announce(this.bus.subjects.heartbeats, Heartbeat.encode(heartbeat).finish());
    const said = types.join();
    await until("it was heard", () => {
      const worker = this.registry.living().find(({ heartbeat: { workerId: id } }) => id === workerId);
      return leaving ? worker === undefined : worker?.heartbeat.types.join() === said;
    });
  }

  /** Whether JetStream has the dispatch of a task. */
  isInNats(id: string): boolean {
    return this.window.get(id)?.streamSequence !== undefined;
  }

  /** Takes dispatches from a queue and never says anything about them. */
  async take(queue: string): Promise<readonly DispatchTask[]> {
    const { bus, logger } = this;
    await ensureWorkConsumer(bus, queue);
    const taken: DispatchTask[] = [];
    const pull = new PullConsumer(bus, {
      stream: bus.subjects.workStream,
      consumer: bus.subjects.workConsumer(queue),
      onDelivery: ({ data }) => taken.push(DispatchTask.decode(data)),
      onMissing: () => Promise.resolve(),
      logger,
    });
    pull.request(100);
    this.#pulls.push(pull);
    return taken;
  }

  /** An attempt starts at a worker, which is then lost beside others. */
  async loseWorker(id: string, attempt: number): Promise<void> {
    await this.store.write({ kind: "applyReports", batches: [reportBatch(id, [started], { attempt })] });
    const leases = [{ id, attempt, workerId: WORKER, isShared: true }];
    await this.store.write({ kind: "expireLeases", poisonLosses: NEVER_POISONED, leases });
  }

  /** NATS is killed and started again, without what it had in memory. */
  async restartNats(): Promise<void> {
    await this.nats.kill();
    await until("it is noticed", () => !this.bus.connected);
    this.nats = await startNatsServer({ storeDir: this.directory.path, port: this.nats.port });
    await until("it is connected again", () => this.bus.connected);
  }

  /** Rounds of the look after dispatches, until a condition holds. */
  async lookAfterUntil(what: string, condition: () => boolean, timeoutMs = 15_000): Promise<void> {
    await until(
      what,
      async () => {
        await this.redispatcher.runOnce();
        return condition();
      },
      timeoutMs,
    );
  }
}
