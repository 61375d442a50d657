import { expect } from "chai";
import type { Logger } from "#libs/log/logger.js";
import { startNatsServer, type NatsServer } from "#libs/nats-server/start-nats-server.js";
import { PingAnswer, WorkerCommand } from "#libs/proto/gen/taskwire/bus/v1/worker.js";
import type { WorkerProcess } from "#worker/worker.js";
import { fixturePath } from "#test/fixtures/tasks/fixture-path.js";
import { busWorker } from "#test/support/bus-worker.js";
import { freshDirectory } from "#test/support/fresh-directory.js";
import { collectingLogger, ServiceSide } from "#test/support/service-side.js";
import { until } from "#test/support/until.js";

describe("a worker on a real NATS", function () {
  this.timeout(60_000);
  let directory = freshDirectory();
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

  async function startWorker(settings: Record<string, string> = {}, logger?: Logger): Promise<WorkerProcess> {
    const worker = busWorker(nats.url, settings, logger);
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
      expect(service.reports.filter((report) => report.taskId === taskId).map((report) => report.number)).to.deep.equal(
        [1, 2],
      );
    });
  }

  it("runs thousands of inline tasks, each once", async () => {
    await startWorker({ TASKWIRE_SLOTS: "200" });
    const ids = await Promise.all(
      Array.from({ length: 3000 }, (_item, index) => service.dispatch("inline.echo", { index })),
    );
    await until(
      "all are reported",
      () => service.reports.filter((report) => report.kind?.$case === "succeeded").length >= 3000,
      30_000,
    );
    const mine = new Set(ids);
    const kinds = service.reports.filter((report) => mine.has(report.taskId)).map((report) => report.kind?.$case);
    expect(kinds).to.have.length(6000);
  });

  it("gives a task whose type it lacks back, again and again, until a worker that has it comes", async () => {
    const { logger, lines } = collectingLogger();
    await startWorker({ TASKWIRE_TASKS: fixturePath("inline-tasks.js") }, logger);
    const taskId = await service.dispatch("thread.echo", {});
    await until("it went back", () => lines.find((line) => line.msg?.includes("no handler") && line.taskId === taskId));
    await startWorker({ TASKWIRE_TASKS: fixturePath("thread-tasks.js") });
    await service.reported(taskId, "succeeded");
    expect(service.kindsOf(taskId)).to.deep.equal(["started", "succeeded"]);
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
    const taskId = await service.dispatch(
      "process.sleep",
      { ms: 60_000 },
      { softTimeoutMs: 100, hardTimeoutMs: 10_000 },
    );
    const { error } = (await service.reported(taskId, "failed")).value;
    expect(error).to.deep.include({ code: "SOFT_TIMEOUT", retryable: true });
    expect(service.kindsOf(taskId)).to.deep.equal(["started", "progress", "softLimitReached", "failed"]);
  });

  for (const isolation of ["process", "thread"]) {
    it(`stops a spinning handler at the hard limit, and the pool is whole afterwards (${isolation})`, async () => {
      await startWorker({ TASKWIRE_SLOTS: "1" });
      const spinning = await service.dispatch(`${isolation}.spin`, {}, { softTimeoutMs: 100, hardTimeoutMs: 200 });
      expect((await service.reported(spinning, "failed")).value.error).to.deep.include({
        code: "HARD_TIMEOUT",
        retryable: true,
      });
      const next = await service.dispatch(`${isolation}.echo`, {});
      await service.reported(next, "succeeded");
    });
  }

  it("tells the service what a type says about its retries", async () => {
    await startWorker();
    const taskId = await service.dispatch("process.policy", {});
    expect((await service.reported(taskId, "started")).value).to.deep.equal({
      maxAttempts: 7,
      initialDelayMs: 20,
      maximumDelayMs: undefined,
      multiplier: 0,
      totalTimeoutMs: 60_000,
      retryableCodes: ["RATE_LIMITED", "HARD_TIMEOUT"],
      permanentCodes: ["NO_SUCH_USER"],
    });
    expect((await service.reported(taskId, "released")).value).to.deep.equal({
      code: "RETRY_LATER",
      reason: "not now",
      retryAfterMs: 90,
    });
  });

  it("reports a crash and goes on", async () => {
    await startWorker({ TASKWIRE_SLOTS: "1" });
    const crashed = await service.dispatch("process.crash", { code: 7 });
    expect((await service.reported(crashed, "failed")).value.error).to.deep.include({
      code: "CRASHED",
      retryable: true,
    });
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
    await until("a heartbeat names the attempt", () =>
      own().some((beat) => beat.attempts.some((held) => held.taskId === taskId)),
    );
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
    await until("the last heartbeat", () =>
      service.heartbeats.some((beat) => beat.workerId === worker.workerId && beat.leaving && beat.draining),
    );
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
    for (const taskId of [polite, stubborn]) {
      const { value } = await service.reported(taskId, "released");
      expect(value).to.deep.equal({ code: "WORKER_SHUTDOWN", reason: "the worker stops", retryAfterMs: 0 });
    }
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
    expect(error)
      .to.have.property("message")
      .that.includes("broken-module.js")
      .and.includes("this module cannot be imported");
  });

  it("keeps results while NATS is away and its streams are lost", async () => {
    const { logger, lines } = collectingLogger();
    await startWorker({}, logger);
    const taskId = await service.dispatch("process.sleep", { ms: 800 });
    await service.reported(taskId, "started");
    await nats.kill();
    const { port } = nats;
    directory.remove();
    directory = freshDirectory();
    await until("the handler is done", () =>
      lines.some((line) => line.msg === "attempt finished" && line.taskId === taskId),
    );
    nats = await startNatsServer({ storeDir: directory.path, port });
    await service.reported(taskId, "succeeded", 30_000);
    await service.reported(await service.dispatch("process.echo", {}), "succeeded", 30_000);
  });
});
