import { expect } from "chai";
import { BusConnection } from "#libs/bus/bus-connection.js";
import { silentLogger } from "#libs/log/logger.js";
import { startNatsServer, type NatsServer } from "#libs/nats-server/start-nats-server.js";
import { ConfirmAttempt } from "#libs/proto/gen/taskwire/bus/v1/worker.js";
import { busWorker } from "#test/support/bus-worker.js";
import { freshDirectory } from "#test/support/fresh-directory.js";
import { ServiceSide } from "#test/support/service-side.js";
import { until } from "#test/support/until.js";

/**
 * Once, a worker that asked whether an old dispatch is still wanted while NATS was killed ended with an unexpected error (exit code 70): the
 * client library rejects what waits before it tells of the end of its connection, and throws at what is published in between.
 */
describe("NATS dies while a question is under way", function () {
  this.timeout(30_000);
  const directory = freshDirectory();
  let nats: NatsServer;

  const restartNats = async () => {
    nats = await startNatsServer({ storeDir: directory.path, port: nats.port });
  };
  const startBus = async () => {
    const bus = new BusConnection({ url: nats.url, prefix: "test", name: "asks", logger: silentLogger() });
    await bus.start();
    return bus;
  };

  before(async () => {
    nats = await startNatsServer({ storeDir: directory.path });
  });
  after(async () => {
    await nats.stop();
    directory.remove();
  });

  it("a worker that asks about an old dispatch lives on and runs it when NATS is back", async () => {
    const service = new ServiceSide(nats.url);
    await service.start();
    const worker = busWorker(nats.url);
    await worker.start();
    const asked: string[] = [];
    service.bus.listen(service.bus.subjects.confirm, (data) => asked.push(ConfirmAttempt.decode(data).taskId));
    service.isMute = true;
    const taskId = await service.dispatch("inline.echo", { still: "wanted" }, { round: 1 });
    await until("the worker has asked", () => asked.includes(taskId));
    await nats.kill();
    service.isMute = false;
    await restartNats();
    await until("it is dispatched again", () =>
      service.dispatch("inline.echo", { still: "wanted" }, { round: 2, taskId }).catch(() => undefined),
    );
    await service.reported(taskId, "succeeded");
    expect(service.kindsOf(taskId)).to.deep.equal(["started", "succeeded"]);
    await worker.stop({ hurry: true });
    await service.stop();
  });

  it("whoever asked hears that NATS is away, and nothing that is said at that moment throws", async () => {
    const bus = await startBus();
    const asked: string[] = [];
    const heard: string[] = [];
    bus.listen("test.mute", () => asked.push("test.mute"));
    const question = bus.request("test.mute", new Uint8Array(), 60_000).catch((error: unknown) => {
      const isConnected = bus.connected;
      bus.announce("test.nobody", new Uint8Array());
      bus.listen("test.later", (data) => heard.push(Buffer.from(data).toString()));
      return { isConnected, error };
    });
    await until("it is asked", () => asked.length > 0);
    await nats.kill();
    const { isConnected, error } = (await question) as { isConnected: boolean; error: unknown };
    expect(isConnected).to.equal(false);
    expect(error).to.include({ code: "UNAVAILABLE", reason: "NATS_UNAVAILABLE" });
    await restartNats();
    await until("it is connected again", () => bus.connected);
    bus.announce("test.later", Buffer.from("hello"));
    await until("what was listened for at that moment is heard", () => heard.includes("hello"));
    await bus.stop();
  });

  it("an answer that is ready only after a reconnect is sent over the new connection", async () => {
    const [asker, answerer] = [await startBus(), await startBus()];
    const answers: string[] = [];
    let respond: ((answer: Uint8Array) => void) | undefined;
    answerer.listen("test.slow", (_data, answer) => (respond = answer));
    asker.listen("test.answers", (data) => answers.push(Buffer.from(data).toString()));
    await until("it is asked", () => {
      asker.nats.publish("test.slow", new Uint8Array(), { reply: "test.answers" });
      return respond;
    });
    await nats.kill();
    await until("both are disconnected", () => !asker.connected && !answerer.connected);
    respond?.(Buffer.from("lost"));
    await restartNats();
    await until("both are connected again", () => asker.connected && answerer.connected);
    respond?.(Buffer.from("late"));
    await until("the answer is there", () => answers.length > 0);
    expect(answers).to.deep.equal(["late"]);
    await Promise.all([asker.stop(), answerer.stop()]);
  });
});
