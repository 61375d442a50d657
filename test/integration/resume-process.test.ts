import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { TaskState } from "#libs/client/taskwire-client.js";
import { handlerKeyPurpose, resumeArtifactContext } from "#libs/sealing/contexts.js";
import { deriveKeys } from "#libs/sealing/derive-keys.js";
import { KeyRing } from "#libs/sealing/key-ring.js";
import { resumeDocx } from "#test/fixtures/resumes/resume-files.js";
import { KOREAN_RESUME, KOREAN_SECRETS, TWO_RESUMES } from "#test/fixtures/resumes/resume-texts.js";
import { fixturePath } from "#test/fixtures/tasks/fixture-path.js";
import { filesWith } from "#test/support/find-in-files.js";
import { endOf, historyOf, kindsOf, valuesOf } from "#test/support/follow-task.js";
import { freshDirectory } from "#test/support/fresh-directory.js";
import { ModelServer } from "#test/support/model-server.js";
import { runCli } from "#test/support/run-cli.js";
import { startTestStack, type TestStack } from "#test/support/test-stack.js";
import { until } from "#test/support/until.js";
import { resumeResult } from "#worker/handlers/resume-process/resume-schema.js";

const KEY = randomBytes(32);
const ENCRYPTION = { ENCRYPTION_KEY: KEY.toString("hex") };

describe("resume.process through the whole stack", function () {
  this.timeout(60_000);
  const server = new ModelServer();
  const files = freshDirectory();
  let test: TestStack;
  let path: string;

  before(async () => {
    path = join(files.path, "resume.docx");
    writeFileSync(path, await resumeDocx(KOREAN_RESUME));
    await server.start();
    test = await startTestStack({
      serviceEnv: { ...ENCRYPTION, TASKWIRE_LEASE_MS: "2000" },
      workerArgs: ["--tasks", fixturePath("secret-tasks.js")],
      workerEnv: {
        ...ENCRYPTION,
        TASKWIRE_WARM_PROCESSES: "0",
        TASKWIRE_HEARTBEAT_MS: "200",
        TASKWIRE_FREEZE_KILL_MS: "1500",
        TASKWIRE_RESUME_CHECKPOINT_DIRECTORY: join(files.path, "checkpoints"),
        TASKWIRE_RESUME_RETRY_DELAY_MS: "1",
        TASKWIRE_EMBEDDING_PROVIDER: "openai",
        TASKWIRE_EMBEDDING_MODEL: "vectors",
        TASKWIRE_EMBEDDING_BASE_URL: server.openAiUrl,
        TASKWIRE_RESUME_EMBEDDING_BATCH: "3",
      },
    });
  });

  after(async () => {
    await test?.stop();
    await server.stop();
    files.remove();
  });

  const payload = (name: string) => ({ path, outputPath: join(files.path, name) });

  it("goes on after kill -9 of the worker where it was: no finished stage runs again", async () => {
    const { client, stack } = test;
    server.behave({ kind: "answer" }, { kind: "hang", at: "headers" });
    const { id } = await client.create("resume.process", payload("killed.resume"));
    await until("the second batch is asked for", () => server.requests.length === 2);
    const [worker] = stack.workers;
    await worker?.kill();
    writeFileSync(path, "not read again");
    await worker?.start();
    const task = await endOf(client, id);
    writeFileSync(path, await resumeDocx(KOREAN_RESUME));
    expect(task).to.include({ state: TaskState.COMPLETED, attempt: 2 });
    const result = resumeResult.parse(task.result);
    expect(result.resumedStages).to.deep.equal(["text", "analysis", "chunks"]);
    const batches = Math.ceil((result.embeddings?.count ?? 0) / 3);
    expect(server.requests).to.have.lengthOf(batches + 1);
    expect(readdirSync(join(files.path, "checkpoints"))).to.deep.equal([]);
  });

  it("leaves nothing personal in results, events, logs, the database or NATS, and what is sealed opens with the derived key", async () => {
    const env = { TASKWIRE_ADDRESS: test.address };
    const order = ["run", "resume.process", JSON.stringify(payload("cli.resume"))];
    const { stdout, exitCode } = await runCli(order, { env });
    expect(exitCode).to.equal(0);
    expect(stdout).to.include("김*수").and.include("010-****-5678");
    const { taskId } = resumeResult.parse(JSON.parse(stdout)).ids;
    const sealed = readFileSync(join(files.path, "cli.resume"));
    const ring = new KeyRing(deriveKeys({ current: KEY, old: [] }, handlerKeyPurpose("resume.process")));
    expect(Buffer.from(ring.open(sealed, resumeArtifactContext(taskId))).toString()).to.include("김민수");
    for (const secret of KOREAN_SECRETS) {
      expect(stdout, secret).not.to.include(secret);
      expect(filesWith(test.dataDir, secret), secret).to.deep.equal([]);
    }
  });

  it("fails a document of two persons at once, and tells why", async () => {
    const two = join(files.path, "two.txt");
    writeFileSync(two, TWO_RESUMES);
    const { id } = await test.client.create("resume.process", { path: two });
    const events = await historyOf(test.client, id);
    expect(kindsOf(events).filter((kind) => kind !== "progress")).to.deep.equal(["created", "started", "failed"]);
    expect((await test.client.get(id)).error).to.include({ code: "MULTI_IDENTITY", retryable: false });
  });

  it("completes with EMBEDDING_PARTIAL_FAILURE where the provider refuses", async () => {
    server.behaveAlways({ kind: "status", status: 401 });
    const { id } = await test.client.create("resume.process", payload("partial.resume"));
    const [completed] = valuesOf(await historyOf(test.client, id), "completed");
    expect(completed?.warnings.map(({ code }) => code)).to.deep.equal(["EMBEDDING_PARTIAL_FAILURE"]);
  });

  it("hands its key to no other type: a user's module neither has it nor hears it", async () => {
    const task = await endOf(test.client, (await test.client.create("secret.look-for-keys", {})).id);
    expect(task.result).to.deep.include({ found: false }).and.have.property("heard").that.is.above(0);
  });
});
