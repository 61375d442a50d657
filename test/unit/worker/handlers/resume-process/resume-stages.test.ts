import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { deferred } from "#libs/async/deferred.js";
import { environment } from "#libs/config/environment.js";
import { silentLogger } from "#libs/log/logger.js";
import { fakeChromium } from "#test/fixtures/resumes/fake-chromium.js";
import { QUICK_SETTINGS, ResumePlace, TASK_ID } from "#test/fixtures/resumes/resume-run.js";
import { KOREAN_RESUME, KOREAN_SECRETS } from "#test/fixtures/resumes/resume-texts.js";
import { startReceiver } from "#test/support/http-receiver.js";
import { ModelServer } from "#test/support/model-server.js";
import { rejectionOf } from "#test/support/rejection-of.js";
import { until } from "#test/support/until.js";
import { resumeResult } from "#worker/handlers/resume-process/resume-schema.js";
import { MemoryWatch } from "#worker/isolate/memory-watch.js";
import { ProcessIsolate } from "#worker/isolate/process-isolate.js";

describe("resume.process, stage by stage", () => {
  let place: ResumePlace;
  let path: string;

  beforeEach(() => {
    place = new ResumePlace();
    path = join(place.path, "resume.txt");
    writeFileSync(path, KOREAN_RESUME);
  });

  afterEach(() => place.remove());

  it("stops between stages when its signal fires, and the next attempt goes on from there", async () => {
    const reason = new Error("cancelled in the test");
    const stages = ["analysing", "cutting chunks", "embedding", "writing the artifact"];
    const resumed = [["text"], ["text", "analysis"], ["text", "analysis", "chunks"], ["text", "analysis", "chunks"]];
    for (const [index, stage] of stages.entries()) {
      const taskId = `0199aaaa-0000-7000-8000-00000000001${index}`;
      const controller = new AbortController();
      const onProgress = ({ message }: { readonly message?: string }) => message === stage && controller.abort(reason);
      const stopped = place.run(
        { path },
        { taskId, signal: controller.signal, onProgress: (said) => void onProgress(said) },
      );
      expect(await rejectionOf(stopped), stage).to.equal(reason);
      for (const secret of KOREAN_SECRETS) expect(place.bytes, secret).not.to.include(secret);
      const { result } = await place.run({ path }, { taskId, attempt: 2 });
      expect(result.resumedStages, stage).to.deep.equal(resumed[index]);
    }
  });

  it("does not download again what it has", async () => {
    const server = await startReceiver((response) => response.end(KOREAN_RESUME));
    const controller = new AbortController();
    const reason = new Error("cancelled in the test");
    const stopped = place.run(
      { url: `${server.url}/resume.txt` },
      {
        signal: controller.signal,
        onProgress: ({ message }) => message === "extracting text" && controller.abort(reason),
      },
    );
    expect(await rejectionOf(stopped)).to.equal(reason);
    const { result } = await place.run({ url: `${server.url}/resume.txt` }, { attempt: 2 });
    await server.close();
    expect(result.resumedStages).to.deep.equal(["file"]);
    expect(server.requests).to.have.lengthOf(1);
  });

  it("after kill -9 in the middle of embedding, asks only for what it does not have", async function () {
    this.timeout(60_000);
    const server = new ModelServer();
    await server.start();
    const settings = {
      ...QUICK_SETTINGS,
      TASKWIRE_EMBEDDING_PROVIDER: "openai",
      TASKWIRE_EMBEDDING_MODEL: "vectors",
      TASKWIRE_EMBEDDING_BASE_URL: server.openAiUrl,
      TASKWIRE_RESUME_EMBEDDING_BATCH: "3",
    };
    const keys = { current: randomBytes(32), old: [] };
    const begin = async (attempt: number) => {
      const isolate = new ProcessIsolate({
        modules: [fileURLToPath(new URL("../../../../../services/worker/handlers/resume-process.js", import.meta.url))],
        keys,
        environment: { ...environment(), ...settings },
        memoryBytes: 512 * 1024 * 1024,
        nice: 0,
        freezeKillMs: 8000,
        memoryWatch: new MemoryWatch(),
        logger: silentLogger(),
      });
      await isolate.ready();
      const ended = deferred<unknown>();
      const nothing = () => undefined;
      const listener = {
        onProgress: nothing,
        onLog: nothing,
        onOutput: nothing,
        onAborted: nothing,
        onEnd: ended.resolve,
      };
      isolate.begin(
        {
          type: "resume.process",
          taskId: TASK_ID,
          attempt,
          maxAttempts: 3,
          payloadJson: JSON.stringify({ path }),
          deadlineMs: Date.now() + 60_000,
          speech: { progressIntervalMs: 100, logLines: 10, logBytes: 1000, outputBytes: 1000 },
        },
        listener,
      );
      return { isolate, ended: ended.promise };
    };
    server.behave({ kind: "answer" }, { kind: "hang", at: "headers" });
    const first = await begin(1);
    await until("the second batch is asked for", () => server.requests.length === 2);
    process.kill(first.isolate.pid ?? 0, "SIGKILL");
    expect(await first.ended).to.include({ kind: "died", signal: "SIGKILL" });
    writeFileSync(path, "not read again");
    const second = await begin(2);
    const outcome = await second.ended;
    await second.isolate.close();
    await server.stop();
    expect(outcome).to.include({ kind: "succeeded" });
    const result = resumeResult.parse(JSON.parse(String(Reflect.get(Object(outcome), "resultJson"))));
    expect(result.resumedStages).to.deep.equal(["text", "analysis", "chunks"]);
    const batches = Math.ceil((result.embeddings?.count ?? 0) / 3);
    // Every batch once, and the one that was under way twice.
    expect(server.requests).to.have.lengthOf(batches + 1);
    expect(new Set(server.requests.map(({ texts }) => texts.join()))).to.have.property("size", batches);
    expect(place.files.filter((name) => name.endsWith(".sealed"))).to.deep.equal([]);
  });

  it("tells a webhook what the result tells, signed, under one id for all attempts", async () => {
    const server = await startReceiver();
    const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const settings = { TASKWIRE_WEBHOOK_SECRET: secret };
    const { result, warnings } = await place.run({ path, webhook: `${server.url}/hook` }, { settings });
    await server.close();
    expect(warnings).to.deep.equal([]);
    expect(result.webhookStatus).to.equal(204);
    const [request] = server.requests;
    expect(request?.headers).to.include({ "webhook-id": `${TASK_ID}-resume` });
    expect(request?.headers["webhook-signature"]).to.match(/^v1,/);
    const body: unknown = JSON.parse(request?.body ?? "");
    expect(body).to.nested.include({ type: "resume.processed", "data.masked.name": "김*수" });
    for (const secretWord of KOREAN_SECRETS) expect(request?.body, secretWord).not.to.include(secretWord);
  });

  it("completes without a webhook that does not arrive (WEBHOOK_FAILURE)", async () => {
    const server = await startReceiver((response) => response.writeHead(503).end());
    const failing = await place.run({ path, webhook: server.url });
    expect(failing.warnings[0]).to.deep.include({
      code: "WEBHOOK_FAILURE",
      details: { reason: "WEBHOOK_UNAVAILABLE" },
    });
    expect(failing.result.webhookStatus).to.equal(null);
    expect(server.requests).to.have.lengthOf(4);
    await server.close();
    const settings = { TASKWIRE_ALLOW_PRIVATE_ADDRESSES: "off" };
    const { warnings } = await place.run({ path, webhook: server.url }, { settings });
    expect(warnings[0]).to.deep.include({ code: "WEBHOOK_FAILURE", details: { reason: "ADDRESS_REFUSED" } });
  });

  it("keeps the picture of a portfolio in the sealed file", async () => {
    const settings = { TASKWIRE_CHROMIUM: fakeChromium(place.path, "picture") };
    const { result } = await place.run({ path, portfolioUrl: "http://127.0.0.1:9/" }, { settings });
    const picture = Buffer.from(place.open(result.artifact.path).picture ?? "", "base64");
    expect(picture.subarray(1, 4).toString()).to.equal("PNG");
    expect(result.picture?.bytes).to.equal(picture.length);
  });

  it("completes without a picture that cannot be taken (VISUAL_AGENT_FAILURE)", async () => {
    const settings = { TASKWIRE_CHROMIUM: fakeChromium(place.path, "fail") };
    const { result, warnings } = await place.run({ path, portfolioUrl: "http://127.0.0.1:9/" }, { settings });
    expect(warnings[0]).to.deep.include({ code: "VISUAL_AGENT_FAILURE", details: { reason: "failed" } });
    expect(result.picture).to.equal(null);
    const missing = await place.run({ path, portfolioUrl: "http://127.0.0.1:9/" });
    expect(missing.warnings[0]).to.deep.include({
      code: "VISUAL_AGENT_FAILURE",
      details: { reason: "not_configured" },
    });
  });
});
