import { expect } from "chai";
import { BusConnection } from "#libs/bus/bus-connection.js";
import { JetStreamPublisher } from "#libs/bus/jetstream-publisher.js";
import { ensureStreams } from "#libs/bus/topology.js";
import { silentLogger } from "#libs/log/logger.js";
import { startNatsServer, type NatsServer } from "#libs/nats-server/start-nats-server.js";
import { freshDirectory } from "#test/support/fresh-directory.js";
import { rejectionOf } from "#test/support/rejection-of.js";
import { TcpProxy } from "#test/support/tcp-proxy.js";
import { testsAtOnce } from "#test/support/tests-at-once.js";
import { until } from "#test/support/until.js";

const hello = new TextEncoder().encode("hello");

describe("BusConnection when the network swallows every packet", function () {
  this.timeout(60_000);

  interface Scene {
    readonly nats: NatsServer;
    readonly proxy: TcpProxy;
    /** Connected through the proxy. */
    readonly bus: BusConnection;
  }

  const connection = (port: number) =>
    new BusConnection({
      url: `nats://127.0.0.1:${port}`,
      prefix: "test",
      name: "half-open-test",
      logger: silentLogger(),
    });

  /** Runs `body` with a connection to a NATS of its own. */
  async function withScene(body: (scene: Scene) => Promise<void>): Promise<void> {
    const directory = freshDirectory();
    const nats = await startNatsServer({ storeDir: directory.path });
    const proxy = new TcpProxy(nats.port);
    await proxy.start();
    const bus = connection(proxy.port);
    try {
      await bus.start();
      await ensureStreams(bus);
      await body({ nats, proxy, bus });
    } finally {
      await bus.stop();
      await proxy.stop();
      await nats.stop();
      directory.remove();
    }
  }

  testsAtOnce(3, [
    [
      "notices within seconds, fails what is under way, and takes its subscriptions along when it is back",
      () =>
        withScene(async ({ nats, proxy, bus }) => {
          const heard: string[] = [];
          bus.listen("test.told", (data) => heard.push(Buffer.from(data).toString()));
          const publisher = new JetStreamPublisher(bus, { timeoutMs: 60_000 });
          const changes: boolean[] = [];
          bus.onConnectionChange((connected) => changes.push(connected));
          proxy.silence();
          const waiting = rejectionOf(publisher.publish(bus.subjects.reports, hello, "lost"));
          await until("it is noticed", () => !bus.connected);
          expect(await waiting).to.include({ reason: "NATS_UNAVAILABLE" });
          proxy.speak();
          await until("it is connected again", () => bus.connected, 15_000);
          expect(changes).to.deep.equal([false, true]);
          await publisher.publish(bus.subjects.reports, hello, "lost");
          const direct = connection(nats.port);
          await direct.start();
          direct.announce("test.told", hello);
          await until("it is heard", () => heard.length > 0);
          await direct.stop();
          expect(heard, "once").to.deep.equal(["hello"]);
          publisher.close();
        }),
    ],

    [
      "notices also when more is unsent than the system takes",
      () =>
        withScene(async ({ proxy, bus }) => {
          const block = new Uint8Array(512 * 1024);
          proxy.silence();
          for (let count = 0; count < 64; count += 1) bus.announce("test.nobody", block);
          await until("it is noticed", () => !bus.connected);
          proxy.speak();
          await until("it is connected again", () => bus.connected, 15_000);
        }),
    ],

    [
      "can be stopped",
      () =>
        withScene(async ({ proxy, bus }) => {
          proxy.silence();
          await bus.stop();
          expect(bus.connected).to.equal(false);
        }),
    ],
  ]);
});
