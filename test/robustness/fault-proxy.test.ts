import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { expect } from "chai";
import { FaultProxy } from "#test/robustness/fault-proxy.js";
import { resetSocket } from "#test/robustness/reset-socket.js";
import { until } from "#test/support/until.js";

/** A connection through the proxy to a server that echoes, and all that came back. */
interface Caller {
  readonly socket: Socket;
  readonly heard: () => string;
  readonly error: () => string | undefined;
}

describe("The fault proxy", () => {
  let echo: Server;
  let proxy: FaultProxy;
  const sockets: Socket[] = [];
  let heardByServer: string;

  beforeEach(async () => {
    heardByServer = "";
    echo = createServer({ allowHalfOpen: true }, (socket) => {
      sockets.push(socket);
      socket.on("error", () => undefined);
      socket.setEncoding("utf8").on("data", (text: string) => {
        heardByServer += text;
        if (!socket.write(text)) socket.pause();
      });
      socket.on("drain", () => socket.resume());
      socket.on("end", () => socket.end("bye"));
    });
    echo.listen(0, "127.0.0.1");
    await once(echo, "listening");
    const { port } = echo.address() as AddressInfo;
    proxy = await FaultProxy.start("test", () => port);
  });
  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy();
    await proxy.stop();
    echo.close();
    await once(echo, "close");
  });

  async function call(): Promise<Caller> {
    const caller = dial();
    await once(caller.socket, "connect");
    return caller;
  }

  function dial(): Caller {
    const socket = connect({ port: proxy.port, host: "127.0.0.1", allowHalfOpen: true });
    sockets.push(socket);
    let heard = "";
    let error: string | undefined;
    socket.setEncoding("utf8").on("data", (text: string) => (heard += text));
    socket.on("error", (cause: NodeJS.ErrnoException) => (error = cause.code));
    return { socket, heard: () => heard, error: () => error };
  }

  it("passes on bytes both ways, and the end of each", async () => {
    const { socket, heard } = await call();
    socket.end("hello ");
    await until("the answer and its end are here", () => heard() === "hello bye" && socket.readableEnded);
    await until("the proxy has let go", () => proxy.connections === 0);
  });

  it("closes a connection whose end is being sent when it is to be reset (Node would wait for it for ever)", async () => {
    const { socket } = await call();
    const closed = once(socket, "close", { signal: AbortSignal.timeout(5000) });
    socket.end();
    await new Promise<void>((resolve) => {
      process.nextTick(resolve);
    });
    resetSocket(socket);
    await closed;
  });

  it("resets standing connections when it cuts, and takes new ones", async () => {
    const { socket, heard, error } = await call();
    socket.write("a");
    await until("it works", () => heard() === "a");
    proxy.cut();
    await until("it is reset", () => error() === "ECONNRESET");
    const next = await call();
    next.socket.write("b");
    await until("a new one works", () => next.heard() === "b");
  });

  it("refuses connections until it is healed", async () => {
    proxy.refuse();
    const refused = dial();
    await until("it is reset", () => refused.error() === "ECONNRESET");
    proxy.heal();
    const next = await call();
    next.socket.write("b");
    await until("a new one works", () => next.heard() === "b");
  });

  it("swallows bytes and ends without a word, on connections old and new, and cuts them when healed", async () => {
    const old = await call();
    old.socket.write("a");
    await until("it works", () => old.heard() === "a");
    proxy.swallow();
    old.socket.write("lost");
    const fresh = await call();
    fresh.socket.write("lost");
    await until("both wrote everything", () => old.socket.writableLength + fresh.socket.writableLength === 0);
    await until("both connections stand", () => proxy.connections === 2);
    // The server would answer a message of its own, were it passed on.
    const [server] = sockets.filter((socket) => socket !== old.socket && socket !== fresh.socket);
    server?.end("never heard");
    await until("the server has sent it", () => server?.writableFinished === true);
    expect([old.heard(), fresh.heard(), heardByServer]).to.deep.equal(["a", "", "a"]);
    expect([old.error(), fresh.error()]).to.deep.equal([undefined, undefined]);
    proxy.heal();
    await until("both are reset", () => old.error() === "ECONNRESET" && fresh.error() === "ECONNRESET");
    expect(old.heard()).to.equal("a");
  });

  it("holds back bytes and keeps their order when it is slow, also while it becomes quick again", async () => {
    const { socket, heard } = await call();
    proxy.slow(50);
    const began = performance.now();
    socket.write("1");
    await until("the first is held", () => socket.writableLength === 0);
    expect(heard()).to.equal("");
    await until("the first came", () => heard() === "1");
    expect(performance.now() - began).to.be.at.least(100 - 2);
    socket.write("2");
    await until("the second has arrived at the server", () => heardByServer === "12");
    proxy.heal();
    socket.write("3");
    await until("all came in order", () => heard() === "123");
  });

  it("lets a slow reader hold up a writer", async () => {
    const { socket } = await call();
    socket.pause();
    const block = "x".repeat(256 * 1024);
    let sent = 0;
    const flood = () => {
      while (sent < 400) {
        sent += 1;
        if (!socket.write(block)) return;
      }
    };
    socket.on("drain", flood);
    flood();
    let before = 0;
    let stillFor = 0;
    await until("the writer is held up", () => {
      stillFor = heardByServer.length > 0 && heardByServer.length === before ? stillFor + 1 : 0;
      before = heardByServer.length;
      return stillFor >= 10 && socket.writableNeedDrain;
    });
    expect(sent).to.be.below(200);
  });
});
