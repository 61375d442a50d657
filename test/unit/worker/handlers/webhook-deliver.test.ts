import { createHmac } from "node:crypto";
import { expect } from "chai";
import { readSettings } from "#libs/config/settings.js";
import { isTaskDefinition } from "#libs/define-task/define-task.js";
import { startReceiver, type HttpReceiver } from "#test/support/http-receiver.js";
import { rejectionOf } from "#test/support/rejection-of.js";
import { runHandler } from "#test/support/run-handler.js";
import { setEnvironment } from "#test/support/set-environment.js";
import { until } from "#test/support/until.js";
import { webhookSettings } from "#worker/handlers/webhook-deliver/webhook-settings.js";
import webhookDeliver from "#worker/handlers/webhook-deliver.js";

const KEY = Buffer.alloc(32, 1);
const SECRET = `whsec_${KEY.toString("base64")}`;
const TASK_ID = "0199aaaa-0000-7000-8000-000000000001";

describe("webhook.deliver", () => {
  let receiver: HttpReceiver;
  let restore: () => void;

  before(async () => {
    receiver = await startReceiver((response, { path }) => {
      const [, status = "204", retryAfter] = path.split("/");
      if (status === "silent") return;
      response.writeHead(Number(status), {
        ...(retryAfter === undefined ? {} : { "retry-after": retryAfter }),
        ...(status.startsWith("3") ? { location: "/" } : {}),
      });
      response.end(status === "204" ? undefined : "the receiver's own words");
    });
  });

  after(() => receiver.close());

  beforeEach(() => {
    restore = setEnvironment({ TASKWIRE_ALLOW_PRIVATE_ADDRESSES: "on", TASKWIRE_WEBHOOK_SECRET: SECRET });
  });

  afterEach(() => restore());

  const deliver = (path = "/200", more: Record<string, unknown> = {}) =>
    runHandler(webhookDeliver, { url: receiver.url + path, body: { said: "안녕" }, ...more });
  const failure = (path: string) => rejectionOf(deliver(path));

  it("posts JSON with id, timestamp and a signature that the key verifies", async () => {
    const { result, progress, logs } = await deliver("/200", { deliveryId: "msg_1" });
    expect(result).to.deep.equal({ deliveryId: "msg_1", status: 200, signed: true });
    expect(progress.map(({ message }) => message)).to.deep.equal(["sending", "delivered"]);
    expect(logs).to.deep.equal([]);
    const { method, headers, body } = receiver.requests.at(-1) ?? expect.fail("nothing came");
    expect(method).to.equal("POST");
    expect(JSON.parse(body)).to.deep.equal({ said: "안녕" });
    expect(headers).to.include({ "content-type": "application/json", "webhook-id": "msg_1" });
    const timestamp = String(headers["webhook-timestamp"]);
    expect(Number(timestamp)).to.be.closeTo(Date.now() / 1000, 60);
    const wanted = createHmac("sha256", KEY).update(`msg_1.${timestamp}.${body}`).digest("base64");
    expect(headers["webhook-signature"]).to.equal(`v1,${wanted}`);
  });

  it("has the task's id for a delivery id, the same in every attempt", async () => {
    await deliver();
    await runHandler(webhookDeliver, { url: `${receiver.url}/200`, body: {} }, { attempt: 2 });
    const ids = receiver.requests.slice(-2).map(({ headers }) => headers["webhook-id"]);
    expect(ids).to.deep.equal([TASK_ID, TASK_ID]);
  });

  it("signs with every secret, and without one sends no signature and says so", async () => {
    const other = `whsec_${Buffer.alloc(24, 2).toString("base64")}`;
    setEnvironment({ TASKWIRE_WEBHOOK_SECRET: `${other} ${SECRET}` });
    await deliver();
    expect(receiver.requests.at(-1)?.headers["webhook-signature"]).to.match(/^v1,\S{44} v1,\S{44}$/);
    setEnvironment({ TASKWIRE_WEBHOOK_SECRET: undefined });
    const { result, logs } = await deliver();
    expect(result).to.include({ signed: false });
    expect(logs.join()).to.include("TASKWIRE_WEBHOOK_SECRET");
    expect(receiver.requests.at(-1)?.headers).to.not.have.property("webhook-signature");
  });

  it("fails for good on refusals and redirects", async () => {
    for (const status of [400, 401, 403, 404, 410, 422, 451]) {
      const error = await failure(`/${status}`);
      expect(error, String(status)).to.include({ name: "PermanentError", code: "WEBHOOK_REJECTED" });
      expect(error.message).to.include(`status ${status}`).and.not.include("own words");
    }
    expect(await failure("/302")).to.include({ name: "PermanentError", code: "WEBHOOK_REDIRECTED" });
  });

  it("may try again after 408, 429 and errors of the server, when the receiver says", async () => {
    for (const status of [408, 429, 500, 502, 503, 599]) {
      const error = await failure(`/${status}`);
      expect(error, String(status)).to.include({ name: "RetryableError", code: "WEBHOOK_UNAVAILABLE" });
      expect(error).to.have.property("retryAfterMs", undefined);
    }
    expect(await failure("/429/7")).to.have.property("retryAfterMs", 7000);
    expect(await failure("/503/100000000")).to.have.property("retryAfterMs", 86_400_000);
  });

  it("may try again when nobody listens", async () => {
    const gone = await startReceiver();
    await gone.close();
    const error = await rejectionOf(runHandler(webhookDeliver, { url: `${gone.url}/secret-path`, body: {} }));
    expect(error).to.include({ name: "RetryableError", code: "WEBHOOK_UNAVAILABLE" });
    expect(error.message).to.include("ECONNREFUSED").and.not.include("secret-path");
  });

  it("makes at most four attempts, the second after a second at most", () => {
    if (!isTaskDefinition(webhookDeliver)) throw new TypeError("no definition");
    expect(webhookDeliver.options).to.include({ maxAttempts: 4, initialDelayMs: 1000, isolation: "inline" });
  });

  it("sends nothing to this machine or a private network unless that is allowed", async () => {
    setEnvironment({ TASKWIRE_ALLOW_PRIVATE_ADDRESSES: undefined });
    const seen = receiver.requests.length;
    for (const url of [receiver.url, `http://localhost:${receiver.port}`, "http://169.254.169.254/latest/meta-data/"]) {
      const error = await rejectionOf(runHandler(webhookDeliver, { url, body: {} }));
      expect(error, url).to.include({ name: "PermanentError", code: "ADDRESS_REFUSED" });
    }
    expect(receiver.requests).to.have.lengthOf(seen);
  });

  it("stops when its signal fires", async () => {
    const controller = new AbortController();
    const reason = new Error("cancelled in the test");
    const seen = receiver.requests.length;
    const payload = { url: `${receiver.url}/silent`, body: {} };
    const run = rejectionOf(runHandler(webhookDeliver, payload, { signal: controller.signal }));
    await until("the request is there", () => receiver.requests.length > seen);
    controller.abort(reason);
    expect(await run).to.equal(reason);
  });

  it("refuses a payload without URL or body, with anything else, or with a delivery id that could not be signed", async () => {
    const url = receiver.url;
    for (const payload of [
      { body: {} },
      { url },
      { url: "", body: {} },
      { url: `${url}/${"x".repeat(2048)}`, body: {} },
      { url, body: [] },
      { url, body: {}, deliveryId: "a.b" },
      { url, body: {}, deliveryId: "a\r\nb" },
      { url, body: {}, headers: {} },
    ]) {
      expect((await rejectionOf(runHandler(webhookDeliver, payload))).message).to.match(/^payload refused/);
    }
  });

  it("has a setting that takes up to five secrets and shows none", () => {
    const read = (value: string) =>
      readSettings(webhookSettings, { env: { TASKWIRE_WEBHOOK_SECRET: value } }).webhookSecret;
    expect(read(SECRET)).to.equal(SECRET);
    expect(read(`${SECRET}, ${SECRET}`)).to.include(SECRET);
    for (const wrong of ["hunter2", `whsec_${Buffer.alloc(16).toString("base64")}`, Array(6).fill(SECRET).join(" ")]) {
      expect(() => read(wrong)).to.throw(/TASKWIRE_WEBHOOK_SECRET=\*\*\* is not allowed: it must be `whsec_`/);
    }
  });
});
