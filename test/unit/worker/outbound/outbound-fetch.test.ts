import type { LookupAddress } from "node:dns";
import { createServer } from "node:net";
import { once } from "node:events";
import { expect } from "chai";
import { startReceiver, type HttpReceiver } from "#test/support/http-receiver.js";
import { rejectionOf } from "#test/support/rejection-of.js";
import { until } from "#test/support/until.js";
import type { Resolve } from "#worker/outbound/guarded-lookup.js";
import { outboundFetch, type OutboundRequest } from "#worker/outbound/outbound-fetch.js";

const { signal } = new AbortController();
const open: OutboundRequest = { timeoutMs: 5000, maxBytes: 1000, signal, allowPrivate: true };
const shut: OutboundRequest = { timeoutMs: 5000, maxBytes: 1000, signal };

/** A resolver that gives these answers, one after the other. */
function resolver(...answers: readonly (readonly LookupAddress[])[]): Resolve & { readonly asked: string[] } {
  const asked: string[] = [];
  const resolve: Resolve = (name, _options, callback) => {
    const answer = answers[Math.min(asked.length, answers.length - 1)] ?? [];
    asked.push(name);
    setImmediate(() => callback(null, [...answer]));
  };
  return Object.assign(resolve, { asked });
}

const LOOPBACK = { address: "127.0.0.1", family: 4 };
const PUBLIC = { address: "198.41.0.4", family: 4 };

describe("outboundFetch", () => {
  let receiver: HttpReceiver;

  before(async () => {
    receiver = await startReceiver((response, { path }) => {
      if (path.startsWith("/status/"))
        response.writeHead(Number(path.slice(8)), { location: "/elsewhere" }).end("said");
      else if (path === "/long") response.writeHead(200).end("x".repeat(1001));
      else if (path === "/exact") response.writeHead(200).end("x".repeat(1000));
      else if (path === "/broken")
        response.writeHead(200, { "content-length": "10" }).write("half", () => response.destroy());
      else if (path === "/drip") response.writeHead(200).write("first");
      else if (path !== "/silent") response.writeHead(200, { "x-said": "yes" }).end("hello");
    });
  });

  after(() => receiver.close());

  const refusal = async (url: string, options: OutboundRequest): Promise<string> => {
    const error = await rejectionOf(outboundFetch(url, options));
    return `${error.name} ${String(error.code)}`;
  };

  it("sends a request and reads the answer", async () => {
    const answer = await outboundFetch(`${receiver.url}/a?b=c`, {
      ...open,
      method: "POST",
      headers: { "x-one": "1" },
      body: "grüße",
    });
    expect(answer).to.deep.include({ status: 200, body: Buffer.from("hello"), url: `${receiver.url}/a?b=c` });
    expect(answer.headers).to.include({ "x-said": "yes" });
    const got = receiver.requests.at(-1);
    expect(got).to.include({ method: "POST", path: "/a?b=c", body: "grüße" });
    expect(got?.headers).to.include({
      "x-one": "1",
      "user-agent": "taskwire",
      "content-length": "7",
      connection: "close",
    });
  });

  it("returns errors of the server as they are", async () => {
    for (const status of [404, 500]) {
      expect(await outboundFetch(`${receiver.url}/status/${status}`, open)).to.deep.include({
        status,
        body: Buffer.from("said"),
      });
    }
  });

  it("follows no redirect", async () => {
    for (const status of [301, 302, 303, 307, 308]) {
      const seen = receiver.requests.length;
      expect(await refusal(`${receiver.url}/status/${status}`, open)).to.equal("PermanentError OUTBOUND_REDIRECT");
      expect(receiver.requests).to.have.lengthOf(seen + 1);
    }
  });

  it("bounds the answer's body", async () => {
    expect((await outboundFetch(`${receiver.url}/exact`, open)).body).to.have.lengthOf(1000);
    expect(await refusal(`${receiver.url}/long`, open)).to.equal("PermanentError RESPONSE_TOO_LARGE");
    expect((await outboundFetch(`${receiver.url}/long`, { ...open, overflow: "cut" })).body).to.have.lengthOf(1000);
  });

  it("gives up after its time, before and within the body", async () => {
    for (const path of ["/silent", "/drip"]) {
      expect(await refusal(receiver.url + path, { ...open, timeoutMs: 100 })).to.equal(
        "RetryableError OUTBOUND_TIMEOUT",
      );
    }
  });

  it("stops when its signal fires, with the signal's reason", async () => {
    const reason = new Error("cancelled in the test");
    expect(await rejectionOf(outboundFetch(receiver.url, { ...open, signal: AbortSignal.abort(reason) }))).to.equal(
      reason,
    );
    const controller = new AbortController();
    const seen = receiver.requests.length;
    const fetching = rejectionOf(outboundFetch(`${receiver.url}/silent`, { ...open, signal: controller.signal }));
    await until("the request is there", () => receiver.requests.length > seen);
    controller.abort(reason);
    expect(await fetching).to.equal(reason);
  });

  it("takes broken connections, closed ports and unknown names for passing trouble", async () => {
    const unknown: Resolve = (_name, _options, callback) => {
      setImmediate(() => callback(Object.assign(new Error("no such name"), { code: "ENOTFOUND" }), []));
    };
    const closed = createServer().listen(0, "127.0.0.1");
    await once(closed, "listening");
    const address = closed.address();
    const port = typeof address === "object" ? address?.port : undefined;
    closed.close();
    await once(closed, "close");
    for (const [url, options] of [
      [`${receiver.url}/broken`, open],
      [`http://127.0.0.1:${port}`, open],
      ["http://receiver.test/", { ...shut, resolve: unknown }],
      [`https://127.0.0.1:${receiver.port}/`, open],
    ] as const) {
      expect(await refusal(url, options), url).to.equal("RetryableError OUTBOUND_UNAVAILABLE");
    }
  });

  it("refuses private addresses in a URL, in every notation, unless they are allowed", async () => {
    const seen = receiver.requests.length;
    for (const host of [
      "127.0.0.1",
      "127.1",
      "2130706433",
      "0x7f000001",
      "0x7f.0.0.1",
      "0177.0.0.1",
      "017700000001",
      "127.0.0.1.",
      "①②⑦.0.0.1",
      "0.0.0.0",
      "0",
      "[::]",
      "[::1]",
      "[::ffff:127.0.0.1]",
      "[::ffff:7f00:1]",
      "[::127.0.0.1]",
      "[64:ff9b::127.0.0.1]",
      "[fe80::1]",
      "[fd00::1]",
      "10.1.2.3",
      "169.254.169.254",
      "100.64.0.1",
      "224.0.0.1",
      "localhost",
      "LOCALHOST",
    ]) {
      const url = `http://${host}:${receiver.port}/`;
      expect(await refusal(url, shut), url).to.equal("PermanentError ADDRESS_REFUSED");
    }
    expect(receiver.requests).to.have.lengthOf(seen);
    expect(await outboundFetch(`http://2130706433:${receiver.port}/`, open)).to.include({ status: 200 });
  });

  it("refuses a name with any private address, and tells no address", async () => {
    const seen = receiver.requests.length;
    for (const addresses of [[LOOPBACK], [PUBLIC, LOOPBACK], [{ address: "::ffff:127.0.0.1", family: 6 }], []]) {
      const url = `http://receiver.test:${receiver.port}/`;
      const error = await rejectionOf(outboundFetch(url, { ...shut, resolve: resolver(addresses) }));
      expect(error).to.include({ name: "PermanentError", code: "ADDRESS_REFUSED" });
      expect(error.message).to.include("receiver.test").and.not.include("127.0.0.1");
    }
    expect(receiver.requests).to.have.lengthOf(seen);
  });

  it("asks for a name once, and connects to what it checked", async () => {
    const rebinding = resolver([LOOPBACK], [PUBLIC]);
    const url = `http://receiver.test:${receiver.port}/`;
    expect(await outboundFetch(url, { ...open, resolve: rebinding })).to.include({ status: 200 });
    expect(rebinding.asked).to.deep.equal(["receiver.test"]);
    expect(receiver.requests.at(-1)?.headers.host).to.equal(`receiver.test:${receiver.port}`);
    expect(await refusal(url, { ...shut, resolve: resolver([LOOPBACK], [PUBLIC]) })).to.include("ADDRESS_REFUSED");
  });

  it("refuses what is no URL of http or https, or has a password in it", async () => {
    for (const url of [
      "",
      "no url",
      "ftp://a.test/",
      "file:///etc/passwd",
      "data:,x",
      "http://",
      "http://me:secret@a.test/",
    ]) {
      const error = await rejectionOf(outboundFetch(url, shut));
      expect(error, url).to.include({ name: "PermanentError", code: "INVALID_URL" });
      expect(error.message).to.not.include("secret");
    }
  });
});
