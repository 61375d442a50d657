import { once } from "node:events";
import { constants, createServer, type Http2Server, type ServerHttp2Stream } from "node:http2";
import { expect } from "chai";
import { TaskwireClient } from "#libs/client/taskwire-client.js";
import { Task } from "#libs/proto/gen/taskwire/v1/task.js";
import { rejectionOf } from "#test/support/rejection-of.js";

const CUTS = {
  CANCELLED: constants.NGHTTP2_CANCEL,
  INTERNAL: constants.NGHTTP2_INTERNAL_ERROR,
};

describe("Caller", () => {
  let server: Http2Server;
  let client: TaskwireClient | undefined;
  let calls: number;

  /** Starts a server that answers the n-th call with the n-th script, further ones with a task. */
  async function start(scripts: ((stream: ServerHttp2Stream) => void)[], retryForMs: number): Promise<TaskwireClient> {
    calls = 0;
    server = createServer();
    server.on("stream", (stream) => {
      stream.on("error", () => undefined);
      const script = scripts[calls] ?? answer;
      calls += 1;
      script(stream);
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("no port");
    client = new TaskwireClient({ address: `127.0.0.1:${address.port}`, retryForMs });
    return client;
  }

  afterEach(async () => {
    client?.close();
    const closed = once(server, "close");
    server.close();
    await closed;
  });

  for (const [code, resetCode] of Object.entries(CUTS)) {
    it(`tries a call again whose stream is cut without a word from the service (${code})`, async () => {
      const caller = await start([(stream) => stream.close(resetCode)], 10_000);
      expect(await caller.get("x")).to.include({ id: "x" });
      expect(calls).to.equal(2);
    });
  }

  it("tries nothing again when it may not", async () => {
    const caller = await start([(stream) => stream.close(CUTS.INTERNAL)], 0);
    expect(await rejectionOf(caller.get("x"))).to.include({ code: "INTERNAL", reason: "TRANSPORT" });
    expect(calls).to.equal(1);
  });
});

function answer(stream: ServerHttp2Stream): void {
  const body = Task.encode(Task.fromPartial({ id: "x" })).finish();
  const head = Buffer.alloc(5);
  head.writeUInt32BE(body.length, 1);
  stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
  stream.on("wantTrailers", () => {
    stream.sendTrailers({ "grpc-status": "0" });
  });
  stream.end(Buffer.concat([head, body]));
}
