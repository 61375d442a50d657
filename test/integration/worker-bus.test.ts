import { expect } from "chai";
import { pino } from "pino";
import { v7 as uuidv7 } from "uuid";
import { BusConnection } from "#libs/bus/bus-connection.js";
import { JetStreamPublisher } from "#libs/bus/jetstream-publisher.js";
import { PullConsumer } from "#libs/bus/pull-consumer.js";
import { ensureReportConsumer, ensureStreams } from "#libs/bus/topology.js";
import { readSettings } from "#libs/config/settings.js";
import { silentLogger, type Logger } from "#libs/log/logger.js";
import { startNatsServer, type NatsServer } from "#libs/nats-server/start-nats-server.js";
import { DispatchTask } from "#libs/proto/gen/taskwire/bus/v1/dispatch.js";
import { ReportBatch, type Report } from "#libs/proto/gen/taskwire/bus/v1/report.js";
import { Heartbeat, PingAnswer, WorkerCommand } from "#libs/proto/gen/taskwire/bus/v1/worker.js";
import { workerSettingsSchema } from "#worker/settings.js";
import { createWorker, type WorkerProcess } from "#worker/worker.js";
import { fixturePath } from "#test/fixtures/tasks/fixture-path.js";
import { freshDirectory } from "#test/support/fresh-directory.js";
import { until } from "#test/support/until.js";

type Kind = NonNullable<Report["kind"]>;

/** Stands where the task-service stands: dispatches tasks, reads reports and heartbeats, sends commands. */
class ServiceSide {
  readonly bus: BusConnection;
  readonly publisher: JetStreamPublisher;
  readonly reports: Report[] = [];
  readonly heartbeats: Heartbeat[] = [];
  #consumer: PullConsumer | undefined;

  constructor(url: string) {
    this.bus = new BusConnection({ url, prefix: "test", name: "service-side", logger: silentLogger() });
    this.publisher = new JetStreamPublisher(this.bus, { timeoutMs: 2000 });
  }

  async start(): Promise<void> {
    await this.bus.start();
    await this.#ensure();
    this.bus.listen(this.bus.subjects.heartbeats, (data) => this.heartbeats.push(Heartbeat.decode(data)));
    const { reportStream, reportConsumer } = this.bus.subjects;
    this.#consumer = new PullConsumer(this.bus, {
      stream: reportStream,
      consumer: reportConsumer,
      onMissing: () => this.#ensure(),
      logger: silentLogger(),
      onDelivery: (delivery) => {
        this.reports.push(...ReportBatch.decode(delivery.data).reports);
        delivery.ack();
        this.#consumer?.request(1);
      },
    });
    this.#consumer.request(100);
  }

  async stop(): Promise<void> {
    this.#consumer?.stop();
    this.publisher.close();
    await this.bus.stop();
  }

  /** Dispatches a task and returns its id. */
  async dispatch(type: string, payload: object, more: Partial<DispatchTask> = {}): Promise<string> {
    const task = dispatchOf(type, payload, more);
    await this.publisher.publish(
      this.bus.subjects.work(task.queue),
      DispatchTask.encode(task).finish(),
      `${task.taskId}:${task.attempt}:${task.round}`,
    );
    return task.taskId;
  }

  command(worker: WorkerProcess, kind: NonNullable<WorkerCommand["kind"]>): void {
    this.bus.announce(this.bus.subjects.worker(worker.workerId), WorkerCommand.encode({ kind }).finish());
  }

  kindsOf(taskId: string): Kind["$case"][] {
    return this.reports.filter((report) => report.taskId === taskId).map((report) => report.kind?.$case ?? "started");
  }

  /** Waits for a report and returns it. */
  async reported<C extends Kind["$case"]>(taskId: string, kind: C, timeoutMs?: number): Promise<Extract<Kind, { $case: C }>> {
    const isWanted = (said: Report["kind"]): said is Extract<Kind, { $case: C }> => said?.$case === kind;
    return until(
      `${taskId} reports ${kind}`,
      () => this.reports.flatMap((report) => (report.taskId === taskId ? [report.kind] : [])).find(isWanted),
      timeoutMs,
    );
  }

  async #ensure(): Promise<void> {
    await ensureStreams(this.bus);
    await ensureReportConsumer(this.bus);
  }
}

interface LogEntry {
  readonly msg?: string;
  readonly level?: string;
  readonly taskId?: string;
  readonly error?: string;
}

function collectingLogger(): { readonly logger: Logger; readonly lines: LogEntry[] } {
  const lines: LogEntry[] = [];
  const write = (line: string) => {
    const entry: LogEntry = JSON.parse(line);
    lines.push(entry);
  };
  return { logger: pino({ formatters: { level: (label) => ({ level: label }) } }, { write }), lines };
}

function dispatchOf(type: string, payload: object, more: Partial<DispatchTask>): DispatchTask {
  return {
    taskId: uuidv7(),
    type,
    queue: "default",
    attempt: 1,
    round: 0,
    payloadJson: JSON.stringify(payload),
    maxAttempts: 0,
    softTimeoutMs: 0,
    hardTimeoutMs: 0,
    memoryBytes: 0,
    ...more,
  };
}

describe("a worker on a real NATS", function () {
  this.timeout(60_000);
  const directory = freshDirectory();
  const workers: WorkerProcess[] = [];
  let nats: NatsServer;
  let service: ServiceSide;

  before(async () => {
    nats = await startNatsServer({ storeDir: directory.path });
  });

  beforeEach(async () => {
    service = new ServiceSide(nats.url);
    await service.start();
  });

  afterEach(async () => {
    await Promise.all(workers.splice(0).map((worker) => worker.stop({ hurry: true })));
    await service.stop();
  });

  after(async () => {
    await nats.stop();
    directory.remove();
  });

  async function startWorker(settings: Record<string, string> = {}, logger: Logger = silentLogger()): Promise<WorkerProcess> {
    const modules = ["process-tasks.js", "thread-tasks.js", "inline-tasks.js"].map(fixturePath);
    const env = {
      TASKWIRE_NATS_URL: nats.url,
      TASKWIRE_PREFIX: "test",
      TASKWIRE_TASKS: modules.join(","),
      TASKWIRE_BUILTIN_TASKS: "false",
      TASKWIRE_HEARTBEAT_MS: "200",
      TASKWIRE_CANCEL_GRACE_MS: "300",
      TASKWIRE_SLOTS: "4",
      TASKWIRE_LOG_LEVEL: "silent",
      ...settings,
    };
    const worker = createWorker(readSettings(workerSettingsSchema, { env }), logger);
    workers.push(worker);
    await worker.start();
    return worker;
  }

  for (const isolation of ["process", "thread", "inline"]) {
    it(`runs a task from dispatch to result (${isolation})`, async () => {
      await startWorker();
      const taskId = await service.dispatch(`${isolation}.echo`, { hello: "세계" });
      expect((await service.reported(taskId, "succeeded")).value).to.deep.include({ resultJson: '{"hello":"세계"}' });
      expect(service.kindsOf(taskId)).to.deep.equal(["started", "succeeded"]);
      expect(service.reports.filter((report) => report.taskId === taskId).map((report) => report.number)).to.deep.equal([1, 2]);
    });
  }

  it("runs thousands of inline tasks, each once", async () => {
    await startWorker({ TASKWIRE_SLOTS: "200" });
    const ids = await Promise.all(Array.from({ length: 3000 }, (_item, index) => service.dispatch("inline.echo", { index })));
    await until("all are reported", () => service.reports.filter((report) => report.kind?.$case === "succeeded").length >= 3000, 30_000);
    const mine = new Set(ids);
    const kinds = service.reports.filter((report) => mine.has(report.taskId)).map((report) => report.kind?.$case);
    expect(kinds).to.have.length(6000);
  });

  it("reports a failure with its message and logs it as an error", async () => {
    const { logger, lines } = collectingLogger();
    await startWorker({}, logger);
    const taskId = await service.dispatch("process.throw", {});
    const { error } = (await service.reported(taskId, "failed")).value;
    const line = await until("an error line", () => lines.find(({ msg }) => msg === "attempt failed"));
    expect(line).to.include({ level: "error", taskId, error: "Claude API timeout" });
    expect(error).to.deep.include({ code: "HANDLER_ERROR", message: "Claude API timeout", retryable: true });
  });

  it("fires the signal at the soft limit", async () => {
    await startWorker();
    const taskId = await service.dispatch("process.sleep", { ms: 60_000 }, { softTimeoutMs: 100, hardTimeoutMs: 10_000 });
    const { error } = (await service.reported(taskId, "failed")).value;
    expect(error).to.deep.include({ code: "SOFT_TIMEOUT", retryable: true });
    expect(service.kindsOf(taskId)).to.deep.equal(["started", "progress", "softLimitReached", "failed"]);
  });

  for (const isolation of ["process", "thread"]) {
    it(`stops a spinning handler at the hard limit, and the pool is whole afterwards (${isolation})`, async () => {
      await startWorker({ TASKWIRE_SLOTS: "1" });
      const spinning = await service.dispatch(`${isolation}.spin`, {}, { softTimeoutMs: 100, hardTimeoutMs: 200 });
      expect((await service.reported(spinning, "failed")).value.error).to.deep.include({ code: "HARD_TIMEOUT", retryable: true });
      const next = await service.dispatch(`${isolation}.echo`, {});
      await service.reported(next, "succeeded");
    });

    it(`stops a spinning handler on a cancel (${isolation})`, async () => {
      const worker = await startWorker({ TASKWIRE_SLOTS: "1" });
      const taskId = await service.dispatch(`${isolation}.spin`, {});
      await service.reported(taskId, "progress");
      service.command(worker, { $case: "cancel", value: { taskId, attempt: 1, reason: "enough" } });
      expect((await service.reported(taskId, "cancelled")).value).to.deep.equal({ phase: 3 });
      expect(service.kindsOf(taskId).slice(-2)).to.deep.equal(["cancelDelivered", "cancelled"]);
      const next = await service.dispatch(`${isolation}.echo`, {});
      await service.reported(next, "succeeded");
    });
  }

  it("says when a handler stopped by itself after a cancel", async () => {
    const worker = await startWorker();
    const taskId = await service.dispatch("process.sleep", { ms: 60_000 });
    await service.reported(taskId, "progress");
    service.command(worker, { $case: "cancel", value: { taskId, attempt: 1, reason: "" } });
    expect((await service.reported(taskId, "cancelled")).value).to.deep.equal({ phase: 2 });
  });

  it("remembers a cancel of an attempt that is not here yet", async () => {
    const worker = await startWorker();
    const taskId = uuidv7();
    service.command(worker, { $case: "cancel", value: { taskId, attempt: 1, reason: "early" } });
    await service.bus.request(service.bus.subjects.worker(worker.workerId), WorkerCommand.encode({ kind: { $case: "ping", value: {} } }).finish(), 2000);
    await service.dispatch("process.echo", {}, { taskId });
    expect((await service.reported(taskId, "cancelled")).value).to.deep.equal({ phase: 1 });
  });

  it("says nothing more about an abandoned attempt", async () => {
    const worker = await startWorker({ TASKWIRE_SLOTS: "1" });
    const taskId = await service.dispatch("process.ignore-abort", { ms: 60_000 });
    await service.reported(taskId, "progress");
    service.command(worker, { $case: "abandon", value: { taskId, attempt: 1 } });
    const next = await service.dispatch("process.echo", {});
    await service.reported(next, "succeeded");
    expect(service.kindsOf(taskId)).to.deep.equal(["started", "progress"]);
  });

  it("reports a crash and goes on", async () => {
    await startWorker({ TASKWIRE_SLOTS: "1" });
    const crashed = await service.dispatch("process.crash", { code: 7 });
    expect((await service.reported(crashed, "failed")).value.error).to.deep.include({ code: "CRASHED", retryable: true });
    await service.reported(await service.dispatch("process.echo", {}), "succeeded");
  });

  it("holds a task to the memory it asked for", async () => {
    await startWorker();
    const taskId = await service.dispatch("process.eat-buffers", {}, { memoryBytes: 64 * 1024 * 1024 });
    expect((await service.reported(taskId, "failed")).value.error).to.deep.include({ code: "OUT_OF_MEMORY" });
  });

  it("runs an attempt once though it was dispatched twice", async () => {
    await startWorker();
    const taskId = await service.dispatch("inline.sleep", { ms: 100 });
    await service.dispatch("inline.sleep", { ms: 100 }, { taskId, round: 1 });
    await service.reported(taskId, "succeeded");
    await service.dispatch("inline.sleep", { ms: 100 }, { taskId, round: 2 });
    await service.reported(await service.dispatch("inline.echo", {}), "succeeded");
    expect(service.kindsOf(taskId).filter((kind) => kind !== "progress")).to.deep.equal(["started", "succeeded"]);
  });

  it("answers a ping", async () => {
    const worker = await startWorker();
    const ping = WorkerCommand.encode({ kind: { $case: "ping", value: {} } }).finish();
    const answer = await service.bus.request(service.bus.subjects.worker(worker.workerId), ping, 2000);
    expect(PingAnswer.decode(answer)).to.deep.equal({ workerId: worker.workerId });
  });

  it("heartbeats name the attempts it holds, and a spinning inline handler does not stop them", async () => {
    const worker = await startWorker();
    const taskId = await service.dispatch("process.ignore-abort", { ms: 30_000 });
    const own = () => service.heartbeats.filter((beat) => beat.workerId === worker.workerId);
    await until("a heartbeat names the attempt", () => own().some((beat) => beat.attempts.some((held) => held.taskId === taskId)));
    const before = own().length;
    const spinUntil = performance.now() + 1500;
    while (performance.now() < spinUntil);
    await until("heartbeats went on while this thread was busy", () => own().length >= before + 5, 500);
  });

  it("answers a roll call at once", async () => {
    await startWorker({ TASKWIRE_HEARTBEAT_MS: "60000" });
    await until("the first heartbeat", () => service.heartbeats.length > 0);
    const before = service.heartbeats.length;
    service.bus.announce(service.bus.subjects.rollCall, new Uint8Array());
    await until("another heartbeat", () => service.heartbeats.length > before);
  });

  it("drains: finishes what runs, takes nothing new, leaves with a last heartbeat", async () => {
    const worker = await startWorker({ TASKWIRE_SLOTS: "1" });
    const running = await service.dispatch("process.sleep", { ms: 500 });
    await service.reported(running, "started");
    const stopped = worker.stop();
    const waiting = await service.dispatch("process.echo", {});
    await stopped;
    await service.reported(running, "succeeded");
    expect(service.kindsOf(waiting)).to.deep.equal([]);
    await until("the last heartbeat", () => service.heartbeats.some((beat) => beat.workerId === worker.workerId && beat.leaving && beat.draining));
    await startWorker();
    await service.reported(waiting, "succeeded");
  });

  it("gives back what does not finish within the drain timeout", async () => {
    const worker = await startWorker({ TASKWIRE_DRAIN_TIMEOUT_MS: "100" });
    const polite = await service.dispatch("process.sleep", { ms: 60_000 });
    const stubborn = await service.dispatch("process.ignore-abort", { ms: 60_000 });
    await service.reported(polite, "started");
    await service.reported(stubborn, "started");
    await worker.stop();
    await service.reported(polite, "released");
    await service.reported(stubborn, "released");
  });

  it("hurries when told a second time", async () => {
    const worker = await startWorker();
    const taskId = await service.dispatch("process.ignore-abort", { ms: 60_000 });
    await service.reported(taskId, "started");
    void worker.stop();
    await worker.stop({ hurry: true });
    await service.reported(taskId, "released");
  }).timeout(8000);

  it("refuses to start with a broken module, and says which", async () => {
    const broken = startWorker({ TASKWIRE_TASKS: fixturePath("broken-module.js") });
    const error = await broken.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).to.have.property("message").that.includes("broken-module.js").and.includes("this module cannot be imported");
  });

  it("keeps results while NATS is away and its streams are lost", async () => {
    const { logger, lines } = collectingLogger();
    await startWorker({}, logger);
    const taskId = await service.dispatch("process.sleep", { ms: 800 });
    await service.reported(taskId, "started");
    await nats.kill();
    const { port } = nats;
    const emptied = freshDirectory();
    await until("the handler is done", () => lines.some((line) => line.msg === "attempt finished" && line.taskId === taskId));
    nats = await startNatsServer({ storeDir: emptied.path, port });
    await service.reported(taskId, "succeeded", 30_000);
    await service.reported(await service.dispatch("process.echo", {}), "succeeded", 30_000);
  });
});
