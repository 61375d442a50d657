import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import { resolve } from "node:path";
import { delay, jitteredBackoffMs } from "#libs/async/delay.js";
import { BusConnection } from "#libs/bus/bus-connection.js";
import { JetStreamPublisher } from "#libs/bus/jetstream-publisher.js";
import { ensureStreams, ensureWorkConsumer } from "#libs/bus/topology.js";
import { readEncryption } from "#libs/config/encryption.js";
import { TaskwireError } from "#libs/errors/taskwire-error.js";
import type { Logger } from "#libs/log/logger.js";
import { HTTP_OFF, OperationsServer, type Readiness } from "#libs/metrics/operations-server.js";
import { KeyRing } from "#libs/sealing/key-ring.js";
import type { Service } from "#libs/service/service.js";
import { UuidSource } from "#libs/tasks/uuid.js";
import { CommandListener } from "#worker/consume/command-listener.js";
import { EarlyCancels } from "#worker/consume/early-cancels.js";
import { RecentAttempts } from "#worker/consume/recent-attempts.js";
import { TaskConsumer } from "#worker/consume/task-consumer.js";
import { AttemptRunner } from "#worker/execute/attempt-runner.js";
import { setHandlerSettings } from "#worker/handlers/handler-settings.js";
import { BUILT_IN_HANDLERS } from "#worker/handlers/manifest.js";
import { HeartbeatSender } from "#worker/heartbeat/heartbeat-sender.js";
import { handlerEnvironment } from "#worker/isolate/handler-environment.js";
import { Isolates } from "#worker/isolate/isolates.js";
import type { ModuleCatalog } from "#worker/isolate/module-catalog.js";
import { AttemptCounts, workerMetrics } from "#worker/metrics/worker-metrics.js";
import { ReportGatherer } from "#worker/report/report-gatherer.js";
import type { WorkerSettings } from "#worker/settings.js";

/** What is there once the worker has started. */
interface Parts {
  readonly publisher: JetStreamPublisher;
  readonly gatherer: ReportGatherer;
  readonly runner: AttemptRunner;
  readonly commands: CommandListener;
  readonly heartbeats: HeartbeatSender;
  readonly consumer: TaskConsumer;
}

/** Heartbeats leave out attempts younger than this, unless the main thread is blocked. */
const RENEW_AFTER_MS = 1000;
/** How long the main thread may be silent beyond the hard limits of its attempts before their leases are given up. */
const SILENCE_MARGIN_MS = 30_000;
const KILL_WAIT_MS = 5000;
const FLUSH_WAIT_MS = 10_000;
const HURRIED_FLUSH_WAIT_MS = 1000;

/** A worker: takes dispatched tasks from NATS, runs their handlers in isolates, and reports what happens. */
export class WorkerProcess implements Service {
  /** New at every start. */
  readonly workerId = new UuidSource().next().id;
  readonly #settings: WorkerSettings;
  readonly #logger: Logger;
  readonly #bus: BusConnection;
  readonly #isolates: Isolates;
  readonly #ring: KeyRing;
  readonly #stopAsked = new AbortController();
  readonly #hurry = new AbortController();
  readonly #counts = new AttemptCounts();
  readonly #operations: OperationsServer;
  #httpPort = HTTP_OFF;
  #parts: Parts | undefined;
  #stopping: Promise<void> | undefined;

  constructor(settings: WorkerSettings, logger: Logger) {
    this.#settings = settings;
    this.#logger = logger.child({ workerId: this.workerId });
    const { keys, warning } = readEncryption(settings);
    if (warning !== undefined) this.#logger.warn({ warning }, "encryption is not as it should be");
    this.#ring = new KeyRing(keys);
    this.#bus = new BusConnection({
      url: settings.natsUrl,
      prefix: settings.prefix,
      name: `taskwire-worker-${this.workerId}`,
      logger: this.#logger,
    });
    this.#operations = new OperationsServer({
      metrics: workerMetrics({
        slots: settings.slots,
        attempts: this.#counts,
        bus: this.#bus,
        running: () => this.#parts?.runner.running ?? 0,
        unstoredReportBytes: () => this.#parts?.gatherer.unstoredBytes ?? 0,
      }),
      readiness: () => this.#readiness(),
      logger: this.#logger,
    });
    setHandlerSettings(settings);
    this.#isolates = new Isolates({
      modules: [...(settings.builtinTasks ? BUILT_IN_HANDLERS : []), ...settings.tasks.map((path) => resolve(path))],
      warm: Math.min(settings.slots, settings.warmProcesses),
      memoryBytes: settings.memoryBytes,
      recycleAfter: settings.recycleAfter,
      nice: settings.isolateNice,
      freezeKillMs: settings.freezeKillMs,
      environment: handlerEnvironment(settings),
      logger: this.#logger,
    });
  }

  /** The port that answers over HTTP; -1: none. */
  get httpPort(): number {
    return this.#httpPort;
  }

  /** Returns when tasks are being taken. Rejects with FAILED_PRECONDITION when a task module is broken; waits for NATS for ever. */
  async start(): Promise<void> {
    try {
      this.#httpPort = await this.#operations.listen(this.#settings.httpHost, this.#settings.httpPort);
      const catalog = await this.#isolates.start();
      await this.#bus.start();
      if (this.#stopAsked.signal.aborted) return;
      this.#parts = this.#assemble(catalog);
      // Its answers also prove that NATS knows the subscription for commands by now.
      await this.#ensureTopology();
      if (this.#stopAsked.signal.aborted) return;
      this.#parts.consumer.start();
      this.#logger.info(
        { types: [...catalog.tasks.keys()], queues: this.#settings.queues, slots: this.#settings.slots },
        "worker takes tasks",
      );
    } catch (error) {
      if (this.#stopAsked.signal.aborted) return;
      await this.stop();
      throw error;
    }
  }

  /**
   * Drains: takes nothing new, lets attempts finish within the drain timeout, then fires their signals, then kills and gives back
   * what is left, and sends every report. With `hurry`, also while it is draining already, it kills at once.
   */
  stop(options: { readonly hurry?: boolean } = {}): Promise<void> {
    if (options.hurry === true) this.#hurry.abort();
    this.#stopAsked.abort();
    this.#stopping ??= this.#shutDown();
    return this.#stopping;
  }

  #assemble(catalog: ModuleCatalog): Parts {
    const bus = this.#bus;
    const logger = this.#logger;
    const workerId = this.workerId;
    const ring = this.#ring;
    const { queues, slots, reportBufferBytes, cancelGraceMs, softTimeoutMs, hardTimeoutMs, memoryBytes } =
      this.#settings;
    const { progressIntervalMs, logLines, logBytes, outputBytes } = this.#settings;
    const recent = new RecentAttempts();
    const earlyCancels = new EarlyCancels();
    const publisher = new JetStreamPublisher(bus);
    const gatherer = new ReportGatherer({
      workerId,
      publish: (data, messageId) => this.#publish(publisher, data, messageId),
      ring,
      crowdedBytes: reportBufferBytes,
      onRoom: () => {
        consumer.refill();
      },
      logger,
    });
    const runner = new AttemptRunner({
      catalog,
      isolates: this.#isolates,
      gatherer,
      limits: { softTimeoutMs, hardTimeoutMs, memoryBytes },
      speech: { progressIntervalMs, logLines, logBytes, outputBytes },
      graceMs: cancelGraceMs,
      onStarting: (hardMs) => {
        heartbeats.allowSilence(hardMs + SILENCE_MARGIN_MS);
      },
      onEnded: (_key, end) => {
        this.#counts.add(end.outcome, end.error?.code);
        consumer.refill();
      },
      logger,
    });
    const commands = new CommandListener({ bus, workerId, runner, recent, earlyCancels, logger });
    const consumer = new TaskConsumer({ bus, queues, slots, runner, gatherer, recent, earlyCancels, ring, logger });
    commands.start();
    const heartbeats = this.#startHeartbeats(catalog, runner);
    return { publisher, gatherer, runner, commands, heartbeats, consumer };
  }

  #startHeartbeats(catalog: ModuleCatalog, runner: AttemptRunner): HeartbeatSender {
    const { natsUrl, prefix, queues, slots, heartbeatMs, logLevel } = this.#settings;
    return new HeartbeatSender({
      setup: {
        natsUrl,
        prefix,
        logLevel,
        intervalMs: heartbeatMs,
        workerId: this.workerId,
        hostname: hostname(),
        pid: process.pid,
        version: ownVersion(),
        queues: [...queues],
        types: [...catalog.tasks.keys()],
        startTimeMs: Date.now(),
      },
      state: () => {
        const { attempts, longestHardMs } = runner.held(RENEW_AFTER_MS);
        return { slots, running: runner.running, attempts, silenceLimitMs: longestHardMs + SILENCE_MARGIN_MS };
      },
      logger: this.#logger,
    });
  }

  async #publish(publisher: JetStreamPublisher, data: Uint8Array, messageId: string): Promise<void> {
    try {
      await publisher.publish(this.#bus.subjects.reports, data, messageId);
    } catch (error) {
      if (error instanceof TaskwireError && error.reason === "STREAM_MISSING") await ensureStreams(this.#bus);
      throw error;
    }
  }

  /** JetStream may take a moment longer than NATS itself; tries until it is there or the worker stops. */
  async #ensureTopology(): Promise<void> {
    for (let round = 0; !this.#stopAsked.signal.aborted; round += 1) {
      try {
        await ensureStreams(this.#bus);
        for (const queue of this.#settings.queues) await ensureWorkConsumer(this.#bus, queue);
        return;
      } catch (error) {
        this.#logger.warn({ err: error }, "JetStream is not ready, trying again");
        await delay(jitteredBackoffMs(round, 100, 2000), this.#stopAsked.signal).catch(() => undefined);
      }
    }
  }

  /** A worker takes tasks while it hears NATS and is not told to stop. */
  #readiness(): Readiness {
    const isStopping = this.#stopAsked.signal.aborted;
    const isStarted = this.#parts !== undefined;
    return {
      isReady: isStarted && !isStopping && this.#bus.connected,
      parts: {
        worker: isStopping ? "stopping" : isStarted ? "started" : "starting",
        nats: this.#bus.connected ? "connected" : "away",
      },
    };
  }

  async #shutDown(): Promise<void> {
    const parts = this.#parts;
    if (parts !== undefined) await this.#drain(parts);
    await this.#bus.stop();
    await this.#isolates.close();
    await this.#operations.stop();
    setHandlerSettings(undefined);
    if (parts !== undefined) this.#logger.info("worker stopped");
  }

  async #drain({ consumer, heartbeats, runner, gatherer, commands, publisher }: Parts): Promise<void> {
    const { drainTimeoutMs, cancelGraceMs } = this.#settings;
    consumer.stop();
    heartbeats.drain();
    await this.#within(runner.idle(), drainTimeoutMs);
    if (runner.running > 0 && !this.#hurry.signal.aborted) {
      runner.releaseAll({ now: false });
      await this.#within(runner.idle(), cancelGraceMs);
    }
    runner.releaseAll({ now: true });
    const hurried = this.#hurry.signal.aborted;
    await within(runner.idle(), KILL_WAIT_MS);
    await within(gatherer.flush(), hurried ? HURRIED_FLUSH_WAIT_MS : FLUSH_WAIT_MS);
    gatherer.close();
    await heartbeats.stop();
    commands.stop();
    publisher.close();
    runner.close();
  }

  #within(work: Promise<void>, timeoutMs: number): Promise<void> {
    return within(work, timeoutMs, this.#hurry.signal);
  }
}

/** Creates a worker that has not started yet. */
export function createWorker(settings: WorkerSettings, logger: Logger): WorkerProcess {
  return new WorkerProcess(settings, logger);
}

/** Waits for work, but no longer than the time or until the signal fires. */
async function within(work: Promise<void>, timeoutMs: number, signal?: AbortSignal): Promise<void> {
  const done = new AbortController();
  const limit = signal === undefined ? done.signal : AbortSignal.any([done.signal, signal]);
  await Promise.race([work, delay(timeoutMs, limit).catch(() => undefined)]);
  done.abort();
}

function ownVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL("../../../package.json", import.meta.url), "utf8"));
  const version: unknown =
    typeof manifest === "object" && manifest !== null ? Reflect.get(manifest, "version") : undefined;
  return typeof version === "string" ? version : "unknown";
}
