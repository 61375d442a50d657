import type { ServerResponse } from "node:http";
import { expect } from "chai";
import { startReceiver, type HttpReceiver, type ReceivedRequest } from "#test/support/http-receiver.js";
import { rejectionOf } from "#test/support/rejection-of.js";
import { readSettings } from "#libs/config/settings.js";
import { handlerSettingsSchema } from "#worker/handlers/handler-settings.js";
import { obtainFile } from "#worker/handlers/resume-process/obtain-file.js";
import { setHandlerSettings } from "#worker/handlers/handler-settings.js";

type Answer = (response: ServerResponse, request: ReceivedRequest) => void;

describe("obtainFile by URL", () => {
  let server: HttpReceiver | undefined;

  afterEach(async () => {
    await server?.close();
    setHandlerSettings(undefined);
  });

  /** The answers come one after the other, the last one from then on. */
  const obtain = async (
    answers: readonly Answer[],
    env: Readonly<Record<string, string>> = {},
    path = "/minsu.txt",
  ) => {
    await server?.close();
    let count = 0;
    server = await startReceiver((response, request) => {
      answers[Math.min(count, answers.length - 1)]?.(response, request);
      count += 1;
    });
    const own = { TASKWIRE_ALLOW_PRIVATE_ADDRESSES: "on", TASKWIRE_RESUME_RETRY_DELAY_MS: "1", ...env };
    const settings = readSettings(handlerSettingsSchema, { env: own });
    setHandlerSettings(settings);
    return obtainFile({ url: server.url + path }, { settings, signal: new AbortController().signal });
  };
  const status =
    (code: number, headers: Readonly<Record<string, string>> = {}): Answer =>
    (response) =>
      response.writeHead(code, headers).end("x");
  const well: Answer = (response) => response.writeHead(200, { "content-type": "text/plain" }).end("a resume");
  const hang: Answer = () => undefined;
  const cut: Answer = (response) => {
    response.writeHead(200, { "content-length": "100" });
    response.write("half", () => response.destroy());
  };
  const failureOf = async (file: Promise<unknown>) => {
    const error = await rejectionOf(file);
    expect(error.message).not.to.include("minsu");
    return { name: error.name, code: error.code, requests: server?.requests.length };
  };

  it("downloads, and keeps of the name what tells the type", async () => {
    const { bytes, name, contentType } = await obtain([well]);
    expect({ text: bytes.toString(), name, contentType }).to.deep.equal({
      text: "a resume",
      name: "file.txt",
      contentType: "text/plain",
    });
  });

  it("tries three times more after what may pass", async () => {
    expect((await obtain([status(503), cut, status(429), well])).bytes.toString()).to.equal("a resume");
    expect(server?.requests).to.have.lengthOf(4);
    expect(await failureOf(obtain([status(500)]))).to.deep.equal({
      name: "RetryableError",
      code: "STORAGE_DOWNLOAD_ERROR",
      requests: 4,
    });
  });

  it("waits no longer than its time for an answer", async () => {
    const env = { TASKWIRE_RESUME_DOWNLOAD_TIMEOUT_MS: "50", TASKWIRE_RESUME_DOWNLOAD_RETRIES: "1" };
    expect(await failureOf(obtain([hang], env))).to.include({ code: "STORAGE_DOWNLOAD_ERROR", requests: 2 });
  });

  it("does not ask again after a refusal", async () => {
    const once = { name: "PermanentError", code: "STORAGE_DOWNLOAD_ERROR", requests: 1 };
    expect(await failureOf(obtain([status(404)]))).to.deep.equal(once);
    const redirect = status(302, { location: "http://example.com/" });
    expect(await failureOf(obtain([redirect]))).to.deep.equal({ ...once, code: "OUTBOUND_REDIRECT" });
    const env = { TASKWIRE_ALLOW_PRIVATE_ADDRESSES: "off" };
    expect(await failureOf(obtain([well], env))).to.deep.equal({ ...once, code: "ADDRESS_REFUSED", requests: 0 });
  });

  it("checks size and type", async () => {
    const once = { name: "PermanentError", code: "INVALID_FILE", requests: 1 };
    const large: Answer = (response) => response.end("x".repeat(2000));
    expect(await failureOf(obtain([large], { TASKWIRE_DOCUMENT_BYTES: "1024" }))).to.deep.equal(once);
    const page: Answer = (response) => response.writeHead(200, { "content-type": "text/html" }).end("log in");
    expect(await failureOf(obtain([page]))).to.deep.equal(once);
    const hidden: Answer = (response) => response.writeHead(200).end("\n<html><p>log in");
    expect(await failureOf(obtain([hidden]))).to.deep.equal(once);
    const marked: Answer = (response) => response.writeHead(200).end("\ufeff<html><p>log in");
    expect(await failureOf(obtain([marked])), "with a byte order mark").to.deep.equal(once);
  });
});
