import { expect } from "chai";
import { BusConnection } from "#libs/bus/bus-connection.js";
import { JetStreamPublisher } from "#libs/bus/jetstream-publisher.js";
import { ensureStreams } from "#libs/bus/topology.js";
import { silentLogger } from "#libs/log/logger.js";
import { freePort } from "#libs/nats-server/free-port.js";
import { startNatsServer, type NatsServer } from "#libs/nats-server/start-nats-server.js";
import { freezeProcess } from "#test/support/freeze-process.js";
import { freshDirectory } from "#test/support/fresh-directory.js";
import { rejectionOf } from "#test/support/rejection-of.js";
import { until } from "#test/support/until.js";

const hello = new TextEncoder().encode("hello");

describe("BusConnection and JetStreamPublisher on a real NATS", () => {
  const directory = freshDirectory();
  const storeDir = directory.path;
  let server: NatsServer;
  let bus: BusConnection;

  const newBus = (url: string) => new BusConnection({ url, prefix: "test", name: "bus-test", logger: silentLogger() });

  before(async () => {
    server = await startNatsServer({ storeDir });
    bus = newBus(server.url);
    await bus.start();
    await ensureStreams(bus);
  });

  after(async () => {
    await bus.stop();
    await server.stop();
    directory.remove();
  });

  it("answers a request, and says whether nobody listens or nobody answers in time", async () => {
    const ends = [
      bus.listen("test.echo", (data, respond) => respond(data)),
      bus.listen("test.silent", () => undefined),
    ];
    expect(Buffer.from(await bus.request("test.echo", hello, 2000)).toString()).to.equal("hello");
    expect(await rejectionOf(bus.request("test.silent", hello, 50))).to.include({
      code: "DEADLINE_EXCEEDED",
      reason: "NO_ANSWER",
    });
    for (const end of ends) end();
    expect(await rejectionOf(bus.request("test.echo", hello, 2000))).to.include({
      code: "UNAVAILABLE",
      reason: "NO_RESPONDERS",
    });
  });

  it("tells where JetStream put a message, and that it had it already", async () => {
    const publisher = new JetStreamPublisher(bus);
    const first = await publisher.publish(bus.subjects.reports, hello, "id-1");
    const [again, second] = await Promise.all([
      publisher.publish(bus.subjects.reports, hello, "id-1"),
      publisher.publish(bus.subjects.reports, hello, "id-2"),
    ]);
    expect(first.duplicate).to.equal(false);
    expect(again).to.deep.equal({ streamSequence: first.streamSequence, duplicate: true });
    expect(second).to.deep.equal({ streamSequence: first.streamSequence + 1, duplicate: false });
    expect(publisher.inFlight).to.equal(0);
    publisher.close();
  });

  it("says that a stream is missing, and rejects what waits when it is closed", async () => {
    const publisher = new JetStreamPublisher(bus);
    expect(await rejectionOf(publisher.publish("test.no-stream", hello, "x"))).to.include({
      code: "UNAVAILABLE",
      reason: "STREAM_MISSING",
    });
    const waiting = rejectionOf(publisher.publish(bus.subjects.reports, hello, "late"));
    publisher.close();
    expect(await waiting).to.include({ code: "UNAVAILABLE" });
  });

  it("rejects within its timeout when NATS hangs, and the same message id goes in once after that", async () => {
    const publisher = new JetStreamPublisher(bus, { timeoutMs: 300 });
    await freezeProcess(server.pid);
    try {
      const error = await rejectionOf(publisher.publish(bus.subjects.reports, hello, "hung"));
      expect(error).to.include({ code: "UNAVAILABLE", reason: "PUBLISH_TIMEOUT" });
    } finally {
      process.kill(server.pid, "SIGCONT");
    }
    const ack = await until("it was taken", () =>
      publisher.publish(bus.subjects.reports, hello, "hung").catch(() => undefined),
    );
    expect(ack.duplicate).to.equal(true);
    publisher.close();
  });

  it("rejects at once when NATS dies, says that it is away, and works again when it is back", async () => {
    const publisher = new JetStreamPublisher(bus, { timeoutMs: 60_000 });
    const changes: boolean[] = [];
    bus.onConnectionChange((connected) => changes.push(connected));
    await freezeProcess(server.pid);
    const waiting = rejectionOf(publisher.publish(bus.subjects.reports, hello, "doomed"));
    await server.kill();
    expect(await waiting).to.include({ code: "UNAVAILABLE", reason: "NATS_UNAVAILABLE" });
    expect(bus.connected).to.equal(false);
    for (const call of [publisher.publish(bus.subjects.reports, hello, "y"), bus.request("test.echo", hello, 100)]) {
      expect(await rejectionOf(call)).to.include({ code: "UNAVAILABLE", reason: "NATS_UNAVAILABLE" });
    }
    bus.announce("test.nobody", hello);
    server = await startNatsServer({ storeDir, port: server.port });
    await until("it is connected again", () => bus.connected);
    expect(changes).to.deep.equal([false, true]);
    const ack = await until("JetStream is back", () =>
      publisher.publish(bus.subjects.reports, hello, "z").catch(() => undefined),
    );
    expect(ack.duplicate).to.equal(false);
    publisher.close();
  });

  it("waits for a NATS that is not there yet", async () => {
    const port = await freePort();
    const early = newBus(`nats://127.0.0.1:${port}`);
    const starting = early.start();
    const late = freshDirectory();
    const lateServer = await startNatsServer({ storeDir: late.path, port });
    await starting;
    expect(early.connected).to.equal(true);
    await early.stop();
    await lateServer.stop();
    late.remove();
  });

  it("gets another connection when one could not be put to use after the connect, at the start and later", async () => {
    const own = freshDirectory();
    let nats = await startNatsServer({ storeDir: own.path });
    const lonely = newBus(nats.url);
    let failures = 0;
    let isArmed = true;
    lonely.onConnectionChange((connected) => {
      if (!connected || !isArmed) return;
      isArmed = false;
      failures += 1;
      throw new Error("not this time");
    });
    lonely.listen("test.echo", (data, respond) => respond(data));
    await lonely.start();
    expect(failures).to.equal(1);
    for (const round of [2, 3]) {
      isArmed = true;
      await nats.kill();
      await until("it is disconnected", () => !lonely.connected);
      nats = await startNatsServer({ storeDir: own.path, port: nats.port });
      await until("it was put to use the second time", () => failures === round && lonely.connected);
      expect(Buffer.from(await lonely.request("test.echo", hello, 2000)).toString()).to.equal("hello");
    }
    await lonely.stop();
    await nats.stop();
    own.remove();
  });

  it("gets another connection though a listener fails at the disconnect, and tells the other listeners", async () => {
    const own = freshDirectory();
    let nats = await startNatsServer({ storeDir: own.path });
    const lonely = newBus(nats.url);
    const changes: boolean[] = [];
    lonely.onConnectionChange((connected) => {
      if (!connected) throw new Error("not now");
    });
    lonely.onConnectionChange((connected) => changes.push(connected));
    await lonely.start();
    await nats.kill();
    await until("it is disconnected", () => !lonely.connected);
    nats = await startNatsServer({ storeDir: own.path, port: nats.port });
    await until("it is connected again", () => lonely.connected);
    expect(changes).to.deep.equal([true, false, true]);
    await lonely.stop();
    await nats.stop();
    own.remove();
  });

  it("forgets a subscription that was refused", async () => {
    const own = freshDirectory();
    let nats = await startNatsServer({ storeDir: own.path });
    const lonely = newBus(nats.url);
    await lonely.start();
    expect(() => lonely.subscribe("", () => undefined)).to.throw();
    await nats.kill();
    await until("it is disconnected", () => !lonely.connected);
    nats = await startNatsServer({ storeDir: own.path, port: nats.port });
    await until("it is connected again", () => lonely.connected);
    await lonely.stop();
    await nats.stop();
    own.remove();
  });

  it("gives up waiting when it is stopped", async () => {
    const lonely = newBus(`nats://127.0.0.1:${await freePort()}`);
    const starting = lonely.start();
    const ended = rejectionOf(starting);
    await lonely.stop();
    await ended;
    expect(lonely.connected).to.equal(false);
  });

  it("may be stopped twice and before its start", async () => {
    const twice = newBus(server.url);
    await twice.start();
    await twice.stop();
    await twice.stop();
    await newBus(server.url).stop();
  });
});
