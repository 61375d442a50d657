import { expect } from "chai";
import { BusConnection } from "#libs/bus/bus-connection.js";
import { freePort } from "#libs/nats-server/free-port.js";
import { startNatsServer } from "#libs/nats-server/start-nats-server.js";
import { freshDirectory } from "#test/support/fresh-directory.js";
import { collectingLogger } from "#test/support/service-side.js";
import { until } from "#test/support/until.js";

describe("A password in the address of NATS", function () {
  this.timeout(30_000);

  it("is in no log line, whether NATS is away or there", async () => {
    const directory = freshDirectory();
    const port = await freePort();
    const { logger, lines } = collectingLogger();
    const url = `nats://me:hunter2@127.0.0.1:${port}`;
    const bus = new BusConnection({ url, prefix: "test", name: "credentials", logger });
    const connecting = bus.start();
    await until("NATS is said to be away", () => lines.some(({ msg }) => msg?.includes("cannot be reached")));
    const nats = await startNatsServer({ port, storeDir: directory.path, logFile: `${directory.path}/nats.log` });
    await connecting;
    await bus.stop();
    await nats.stop();
    directory.remove();
    expect(lines.some(({ msg }) => msg === "nats connected")).to.equal(true);
    expect(JSON.stringify(lines)).to.contain(`nats://***@127.0.0.1:${port}`).and.not.to.contain("hunter2");
  });
});
