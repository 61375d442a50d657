import { once } from "node:events";
import { createServer, type AddressInfo, type Server } from "node:net";
import { expect } from "chai";
import { startOnUsualPorts, type StackPorts } from "#cli/stack/usual-ports.js";
import { rejectionOf } from "#test/support/rejection-of.js";

describe("startOnUsualPorts", () => {
  const servers: Server[] = [];

  afterEach(async () => {
    await Promise.all(servers.splice(0).map((server) => once(server.close(), "close")));
  });

  async function listen(port = 0): Promise<number> {
    const server = createServer().listen(port, "127.0.0.1");
    servers.push(server);
    await once(server, "listening");
    return (server.address() as AddressInfo).port;
  }

  /** Three ports that were free a moment ago. */
  async function freePorts(): Promise<StackPorts> {
    const [grpc, nats, http] = [await listen(), await listen(), await listen()];
    await Promise.all(servers.splice(0).map((server) => once(server.close(), "close")));
    return { grpc, nats, http };
  }

  it("takes free ones for those that are taken", async () => {
    const usual = await freePorts();
    await listen(usual.nats);
    expect(await startOnUsualPorts(usual, (ports) => Promise.resolve(ports))).to.deep.equal({ ...usual, nats: 0 });
  });

  it("starts once more when somebody took one meanwhile", async () => {
    const usual = await freePorts();
    const tried: StackPorts[] = [];
    const started = await startOnUsualPorts(usual, async (ports) => {
      tried.push(ports);
      if (tried.length > 1) return "started";
      await listen(usual.grpc);
      throw new Error("the address is in use");
    });
    expect(started).to.equal("started");
    expect(tried).to.deep.equal([usual, { ...usual, grpc: 0 }]);
  });

  it("does not try again for any other reason", async () => {
    let tries = 0;
    const failure = rejectionOf(
      startOnUsualPorts(await freePorts(), () => {
        tries += 1;
        return Promise.reject(new Error("no nats-server"));
      }),
    );
    expect((await failure).message).to.equal("no nats-server");
    expect(tries).to.equal(1);
  });
});
