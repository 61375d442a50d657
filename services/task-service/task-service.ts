import { FRESH_DISPATCH_MS } from "#libs/bus/bus.js";
import { BusConnection } from "#libs/bus/bus-connection.js";
import { JetStreamPublisher } from "#libs/bus/jetstream-publisher.js";
import type { Logger } from "#libs/log/logger.js";
import { OperationsServer, type Readiness } from "#libs/metrics/operations-server.js";
import { GrpcServer } from "#libs/rpc/grpc-server.js";
import { readEncryption } from "#libs/config/encryption.js";
import { KeyRing } from "#libs/sealing/key-ring.js";
import { Health } from "#libs/rpc/health.js";
import { addReflection } from "#libs/rpc/reflection.js";
import type { Service } from "#libs/service/service.js";
import { AttemptConfirmer } from "#task-service/dispatch/attempt-confirmer.js";
import { DispatchRecall } from "#task-service/dispatch/dispatch-recall.js";
import { DispatchWindow } from "#task-service/dispatch/dispatch-window.js";
import { Dispatcher } from "#task-service/dispatch/dispatcher.js";
import { LaneLoader } from "#task-service/dispatch/lane-loader.js";
import { Redispatcher } from "#task-service/dispatch/redispatcher.js";
import { ReportIngester } from "#task-service/ingest/report-ingester.js";
import { cancelTask, type CancelContext } from "#task-service/rpc/cancel-task.js";
import { addServices } from "#task-service/rpc/services.js";
import { CallMetrics } from "#task-service/metrics/call-metrics.js";
import { serviceMetrics } from "#task-service/metrics/service-metrics.js";
import type { TaskServiceSettings } from "#task-service/settings.js";
import { SqliteStore } from "#task-service/store/sqlite/sqlite-store.js";
import type { TaskStore } from "#task-service/store/task-store.js";
import { HEALTH_SERVICES, HealthMonitor } from "#task-service/upkeep/health-monitor.js";
import { LeaseKeeper } from "#task-service/upkeep/lease-keeper.js";
import { OverdueTasks } from "#task-service/upkeep/overdue-tasks.js";
import { UnansweredCancels } from "#task-service/upkeep/unanswered-cancels.js";
import { UnwatchedTasks } from "#task-service/upkeep/unwatched-tasks.js";
import { UpkeepLoops } from "#task-service/upkeep/upkeep-loops.js";
import { AttachedRuns } from "#task-service/watch/attached-runs.js";
import { LogHub } from "#task-service/watch/log-hub.js";
import { WatchHub } from "#task-service/watch/watch-hub.js";
import { letWorkFlow } from "#task-service/work-flow.js";
import { WorkerRegistry } from "#task-service/workers/worker-registry.js";

/** Shortest time after which a task is ended that a worker might have been handed. */
const MIN_PATIENCE_MS = 2 * FRESH_DISPATCH_MS;

/**
 * The composition root of the task-service: constructs and wires everything, and starts and stops it in order.
 *
 * Start: database, leases, gRPC (tasks are accepted from here on), then NATS in the background: topology, ingest, and, when the
 * reports of before are applied, dispatch. Stop: refuse calls and end watches, dispatch, ingest, upkeep, NATS, database.
 */
export class TaskService implements Service {
  readonly #settings: TaskServiceSettings;
  readonly #logger: Logger;
  readonly #abort = new AbortController();
  readonly #store: TaskStore;
  readonly #bus: BusConnection;
  readonly #publisher: JetStreamPublisher;
  readonly #registry: WorkerRegistry;
  readonly #window = new DispatchWindow();
  readonly #dispatcher: Dispatcher;
  readonly #redispatcher: Redispatcher;
  readonly #leases: LeaseKeeper;
  readonly #ingester: ReportIngester;
  readonly #confirmer: AttemptConfirmer;
  readonly #hub: WatchHub;
  readonly #logHub: LogHub;
  readonly #runs = new AttachedRuns();
  readonly #cancelling: CancelContext;
  readonly #server: GrpcServer;
  readonly #upkeep: UpkeepLoops;
  readonly #operations: OperationsServer;
  readonly #monitor: HealthMonitor;
  readonly #cancels: UnansweredCancels;
  readonly #ring: KeyRing;
  #isStarted = false;
  #flow: Promise<void> = Promise.resolve();
  #grpcPort = 0;
  #httpPort = 0;

  constructor(settings: TaskServiceSettings, logger: Logger) {
    this.#settings = settings;
    this.#logger = logger;
    const { leaseMs, redispatchMs: afterMs, natsUrl: url, prefix } = settings;
    const { keys, warning } = readEncryption(settings);
    if (warning !== undefined) logger.warn({ warning }, "encryption is not as it should be");
    const ring = new KeyRing(keys);
    this.#ring = ring;
    const { database: path, queueCapacity, webhookQueue } = settings;
    const store = new SqliteStore({ path, queueCapacity, webhookQueue, keys });
    const bus = new BusConnection({ url, prefix, name: "taskwire task-service", logger });
    const registry = new WorkerRegistry(bus, { lifetimeMs: leaseMs, logger });
    const window = this.#window;
    const recall = new DispatchRecall(bus, window, () => this.#redispatcher.isStreamKnown);
    const leases = new LeaseKeeper({
      store,
      bus,
      logger,
      leaseMs,
      poisonLosses: settings.poisonLosses,
      isBehind: () => this.#ingester.isBehind,
      onExpiring: (id) => void recall.discard(id),
    });
    const publisher = new JetStreamPublisher(bus);
    const lanes = new LaneLoader(store, logger);
    const dispatcher = new Dispatcher({ store, bus, publisher, registry, window, lanes, ring, logger });
    const isNamed = (taskId: string, attempt: number) => leases.isNamed(taskId, attempt);
    const isBehind = () => this.#ingester.isBehind;
    const looking = { isNamed, isBehind, registry, logger, afterMs };
    this.#redispatcher = new Redispatcher({ bus, store, window, dispatcher, ...looking });
    this.#ingester = new ReportIngester({
      store,
      bus,
      logger,
      onStale: (stale) => {
        leases.abandon(stale);
      },
    });
    const catchUp = (timeoutMs: number, signal: AbortSignal) => this.#ingester.catchUp(timeoutMs, signal);
    this.#confirmer = new AttemptConfirmer({ bus, store, catchUp, logger });
    this.#hub = new WatchHub(store, { heartbeatMs: settings.watchHeartbeatMs });
    this.#logHub = new LogHub(store, { heartbeatMs: settings.watchHeartbeatMs });
    const calls = new CallMetrics();
    this.#server = new GrpcServer({ logger, onCallEnded: calls.record, keepaliveMs: settings.keepaliveMs });
    const health = new Health(this.#server, HEALTH_SERVICES);
    const monitor = new HealthMonitor({ store, bus, health, logger });
    const isDatabaseWritable = () => monitor.isWritable;
    const watchers = [this.#hub, this.#logHub];
    this.#operations = new OperationsServer({
      metrics: serviceMetrics({ store, calls, bus, watchers, dispatcher, registry, isDatabaseWritable }),
      readiness: () => this.#readiness(),
      logger,
    });
    this.#monitor = monitor;
    // Twice the time in which the look after a dispatched task should have ended it.
    const patienceMs = Math.max(2 * afterMs, MIN_PATIENCE_MS);
    const cancelling: CancelContext = {
      store,
      holdBack: (id, key) => dispatcher.holdBack(id, key),
      letGo: (id, queue) => {
        dispatcher.letGo(id, queue);
      },
      withdraw: (id, attempt) => recall.withdraw(id, attempt),
    };
    this.#cancelling = cancelling;
    const unwatched = new UnwatchedTasks({
      store,
      logger,
      leftAtMs: (id) => this.#runs.leftAtMs(id),
      forget: (isOfInterest) => {
        this.#runs.forget(isOfInterest);
      },
      cancel: (id, reason) => cancelTask(cancelling, { id, reason }),
    });
    const overdue = new OverdueTasks({
      ...cancelling,
      bus,
      logger,
      discard: (id) => recall.discard(id),
      isNamed,
      isBehind,
      patienceMs,
    });
    this.#cancels = new UnansweredCancels({
      store,
      bus,
      patienceMs,
      isBehind,
      namedIds: () => leases.namedIds(),
    });
    this.#upkeep = new UpkeepLoops({
      store,
      overdue,
      registry,
      leases,
      redispatcher: this.#redispatcher,
      cancels: this.#cancels,
      unwatched,
      monitor,
      logger,
      retentionHours: settings.retentionHours,
    });
    this.#store = store;
    this.#bus = bus;
    this.#publisher = publisher;
    this.#registry = registry;
    this.#dispatcher = dispatcher;
    this.#leases = leases;
    registry.onHeartbeat((heartbeat) => {
      leases.onHeartbeat(heartbeat);
    });
  }

  /** The port of the gRPC server; 0 before the start. */
  get grpcPort(): number {
    return this.#grpcPort;
  }

  /** The port that answers over HTTP; -1: none. */
  get httpPort(): number {
    return this.#httpPort;
  }

  async start(): Promise<void> {
    const settings = this.#settings;
    this.#httpPort = await this.#operations.listen(settings.httpHost, settings.httpPort);
    await this.#store.start();
    this.#dispatcher.resume(await this.#leases.load(), await this.#store.read({ kind: "lastKey" }));
    await this.#hub.start();
    await this.#logHub.start();
    addServices(this.#server, {
      store: this.#store,
      hub: this.#hub,
      logHub: this.#logHub,
      bus: this.#bus,
      registry: this.#registry,
      dispatcher: this.#dispatcher,
      cancelling: this.#cancelling,
      runs: this.#runs,
      watchLimits: settings,
      logger: this.#logger,
    });
    if (settings.reflection) addReflection(this.#server);
    this.#grpcPort = await this.#server.listen(settings.grpcHost, settings.grpcPort);
    this.#flow = letWorkFlow(
      {
        bus: this.#bus,
        store: this.#store,
        ring: this.#ring,
        logger: this.#logger,
        window: this.#window,
        dispatcher: this.#dispatcher,
        redispatcher: this.#redispatcher,
        ingester: this.#ingester,
        registry: this.#registry,
        confirmer: this.#confirmer,
        cancels: this.#cancels,
        onReconnected: () => {
          this.#upkeep.onReconnected();
        },
      },
      this.#abort.signal,
    );
    await this.#upkeep.start();
    this.#isStarted = true;
    this.#logger.info(
      { host: settings.grpcHost, port: this.#grpcPort, httpPort: this.#httpPort, database: settings.database },
      "task-service is ready",
    );
  }

  async stop(): Promise<void> {
    if (this.#abort.signal.aborted) return;
    this.#abort.abort();
    await this.#server.stop(this.#settings.shutdownGraceMs);
    this.#dispatcher.close();
    await this.#hub.stop();
    await this.#logHub.stop();
    await this.#upkeep.stop();
    await this.#flow;
    await this.#ingester.stop();
    await this.#registry.stop();
    await this.#confirmer.stop();
    this.#publisher.close();
    await this.#bus.stop();
    await this.#store.stop();
    await this.#operations.stop();
    this.#logger.info("task-service has stopped");
  }

  /** Tasks are accepted as long as the database takes them; without NATS they wait. */
  #readiness(): Readiness {
    const isWritable = this.#isStarted && this.#monitor.isWritable;
    return {
      isReady: isWritable && !this.#abort.signal.aborted,
      parts: {
        service: this.#abort.signal.aborted ? "stopping" : this.#isStarted ? "started" : "starting",
        database: isWritable ? "writable" : this.#isStarted ? "refuses writes" : "opening",
        nats: this.#bus.connected ? "connected" : "away",
      },
    };
  }
}
