import { expect } from "chai";
import { UuidSource } from "#libs/tasks/uuid.js";
import { startNatsServer, type NatsServer } from "#libs/nats-server/start-nats-server.js";
import { WorkerCommand } from "#libs/proto/gen/taskwire/bus/v1/worker.js";
import type { WorkerProcess } from "#worker/worker.js";
import { busWorker } from "#test/support/bus-worker.js";
import { isAlive } from "#test/support/child-processes.js";
import { freshDirectory } from "#test/support/fresh-directory.js";
import { ServiceSide } from "#test/support/service-side.js";

describe("a worker that is told to stop an attempt", function () {
  this.timeout(60_000);
  const directory = freshDirectory();
  const workers: WorkerProcess[] = [];
  let nats: NatsServer;
  let service: ServiceSide;

  before(async () => {
    nats = await startNatsServer({ storeDir: directory.path });
    service = new ServiceSide(nats.url);
    await service.start();
  });

  afterEach(async () => {
    await Promise.all(workers.splice(0).map((worker) => worker.stop({ hurry: true })));
  });

  after(async () => {
    await service.stop();
    await nats.stop();
    directory.remove();
  });

  async function startWorker(settings: Record<string, string> = {}): Promise<WorkerProcess> {
    const worker = busWorker(nats.url, settings);
    workers.push(worker);
    await worker.start();
    return worker;
  }

  for (const isolation of ["process", "thread"]) {
    it(`kills a handler that spins (${isolation})`, async () => {
      const worker = await startWorker({ TASKWIRE_SLOTS: "1" });
      const taskId = await service.dispatch(`${isolation}.spin`, {});
      await service.reported(taskId, "progress");
      service.command(worker, { $case: "cancel", value: { taskId, attempt: 1, reason: "enough" } });
      expect((await service.reported(taskId, "cancelled")).value).to.deep.equal({ phase: 3 });
      expect(service.kindsOf(taskId).slice(-3)).to.deep.equal(["cancelDelivered", "cancelGraceExpired", "cancelled"]);
      expect((await service.reported(taskId, "cancelGraceExpired")).value).to.deep.equal({ graceMs: 300 });
      const next = await service.dispatch(`${isolation}.echo`, {});
      await service.reported(next, "succeeded");
    });
  }

  for (const isolation of ["process", "thread", "inline"]) {
    it(`says each phase of a cancel (${isolation})`, async () => {
      const worker = await startWorker();
      for (const [name, phase, phases] of [
        ["sleep", 2, ["cancelDelivered", "cancelAcknowledged", "cancelled"]],
        ["ignore-abort", 3, ["cancelDelivered", "cancelAcknowledged", "cancelGraceExpired", "cancelled"]],
      ] as const) {
        const taskId = await service.dispatch(`${isolation}.${name}`, { ms: 60_000 });
        await service.reported(taskId, "progress");
        // Twice is as good as once.
        for (const reason of ["", "again"])
          service.command(worker, { $case: "cancel", value: { taskId, attempt: 1, reason } });
        expect((await service.reported(taskId, "cancelled")).value).to.deep.equal({ phase });
        expect(service.kindsOf(taskId)).to.deep.equal(["started", "progress", ...phases]);
      }
    });
  }

  it("acknowledges a cancel after the soft limit too", async () => {
    const worker = await startWorker();
    const taskId = await service.dispatch("process.ignore-abort", { ms: 60_000 }, { softTimeoutMs: 50 });
    await service.reported(taskId, "softLimitReached");
    service.command(worker, { $case: "cancel", value: { taskId, attempt: 1, reason: "" } });
    await service.reported(taskId, "cancelled");
    expect(service.kindsOf(taskId).filter((kind) => kind !== "progress")).to.deep.equal([
      "started",
      "softLimitReached",
      "cancelDelivered",
      "cancelAcknowledged",
      "cancelGraceExpired",
      "cancelled",
    ]);
  });

  it("says cancelled when the handler's process is gone, and gives the next task another one", async () => {
    const worker = await startWorker({ TASKWIRE_SLOTS: "1" });
    const pidOf = async () => {
      const { resultJson } = (await service.reported(await service.dispatch("process.pid", {}), "succeeded")).value;
      return Number(resultJson);
    };
    const first = await pidOf();
    expect(await pidOf(), "after a success").to.equal(first);
    const taskId = await service.dispatch("process.sleep", { ms: 60_000 });
    await service.reported(taskId, "progress");
    service.command(worker, { $case: "cancel", value: { taskId, attempt: 1, reason: "" } });
    await service.reported(taskId, "cancelled");
    expect(await isAlive(first)).to.equal(false);
    expect(await pidOf(), "after a cancel").to.not.equal(first);
  });

  it("remembers a cancel of an attempt that is not here yet", async () => {
    const worker = await startWorker();
    const taskId = new UuidSource().next().id;
    service.command(worker, { $case: "cancel", value: { taskId, attempt: 1, reason: "early" } });
    await service.bus.request(
      service.bus.subjects.worker(worker.workerId),
      WorkerCommand.encode({ kind: { $case: "ping", value: {} } }).finish(),
      2000,
    );
    await service.dispatch("process.echo", {}, { taskId });
    expect((await service.reported(taskId, "cancelled")).value).to.deep.equal({ phase: 1 });
  });

  it("says nothing more about an abandoned attempt, and its process is killed though it ignores the signal", async () => {
    const worker = await startWorker({ TASKWIRE_SLOTS: "1" });
    const { resultJson } = (await service.reported(await service.dispatch("process.pid", {}), "succeeded")).value;
    const taskId = await service.dispatch("process.ignore-abort", { ms: 60_000 });
    await service.reported(taskId, "progress");
    expect(await isAlive(Number(resultJson))).to.equal(true);
    service.command(worker, { $case: "abandon", value: { taskId, attempt: 1 } });
    const next = await service.dispatch("process.echo", {});
    await service.reported(next, "succeeded");
    expect(service.kindsOf(taskId)).to.deep.equal(["started", "progress"]);
    expect(await isAlive(Number(resultJson))).to.equal(false);
  });
});
