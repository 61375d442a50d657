import { expect } from "chai";
import { startNatsServer, type NatsServer } from "#libs/nats-server/start-nats-server.js";
import { PingAnswer, WorkerCommand } from "#libs/proto/gen/taskwire/bus/v1/worker.js";
import type { WorkerProcess } from "#worker/worker.js";
import { busWorker } from "#test/support/bus-worker.js";
import { freshDirectory } from "#test/support/fresh-directory.js";
import { ServiceSide } from "#test/support/service-side.js";
import { TcpProxy } from "#test/support/tcp-proxy.js";
import { until } from "#test/support/until.js";

describe("a worker whose connections to NATS go silent", function () {
  this.timeout(60_000);
  const directory = freshDirectory();
  let nats: NatsServer;
  let proxy: TcpProxy;
  let service: ServiceSide;
  let worker: WorkerProcess;

  before(async () => {
    nats = await startNatsServer({ storeDir: directory.path });
    proxy = new TcpProxy(nats.port);
    await proxy.start();
    service = new ServiceSide(nats.url);
    await service.start();
    worker = busWorker(`nats://127.0.0.1:${proxy.port}`);
    await worker.start();
  });

  after(async () => {
    await worker.stop({ hurry: true });
    await service.stop();
    await proxy.stop();
    await nats.stop();
    directory.remove();
  });

  it("notices by itself: it takes tasks, hears commands, reports and sends heartbeats again", async () => {
    const running = await service.dispatch("process.sleep", { ms: 60_000 });
    await service.reported(running, "progress");
    await until("its own connection and that of its heartbeats stand", () => proxy.open === 2);
    const finishing = await service.dispatch("process.sleep", { ms: 1000 });
    await service.reported(finishing, "progress");

    proxy.silence();
    await until("both are given up", () => proxy.accepted >= 4);
    expect(service.kindsOf(finishing)).to.not.include("succeeded");
    const beats = service.heartbeats.length;
    proxy.speak();

    await service.reported(finishing, "succeeded");
    // What NATS sent into the silence comes again later, by the ack wait or the service's dispatching again.
    await service.reported(await service.dispatch("process.echo", {}), "succeeded");
    await until("heartbeats name the attempt", () =>
      service.heartbeats.slice(beats).some(({ attempts }) => attempts.some(({ taskId }) => taskId === running)),
    );
    const ping = WorkerCommand.encode({ kind: { $case: "ping", value: {} } }).finish();
    const answer = await service.bus.request(service.bus.subjects.worker(worker.workerId), ping, 2000);
    expect(PingAnswer.decode(answer)).to.deep.equal({ workerId: worker.workerId });
    service.command(worker, { $case: "cancel", value: { taskId: running, attempt: 1, reason: "" } });
    expect((await service.reported(running, "cancelled")).value).to.deep.equal({ phase: 2 });
  });
});
