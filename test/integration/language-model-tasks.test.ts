import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { deferred } from "#libs/async/deferred.js";
import { TaskState, type CreateOptions, type Task, type TaskEvent } from "#libs/client/taskwire-client.js";
import { documentFixture } from "#test/support/document-fixture.js";
import { fixturePath } from "#test/fixtures/tasks/fixture-path.js";
import { endOf, eventOf, expectWholeHistory, historyOf, kindsOf, valuesOf } from "#test/support/follow-task.js";
import { listProcesses } from "#test/support/child-processes.js";
import { ModelServer } from "#test/support/model-server.js";
import { startTestStack, type TestStack } from "#test/support/test-stack.js";
import { until } from "#test/support/until.js";

const KEY = "sk-only-by-the-environment";

describe("Tasks that ask a language model", function () {
  this.timeout(60_000);
  const server = new ModelServer();
  let test: TestStack;
  let output: string;

  before(async () => {
    server.key = KEY;
    await server.start();
    const flags = ["--llm-provider", "openai", "--llm-model", "test-model", "--llm-base-url", server.openAiUrl];
    const retries = ["--llm-retries", "1", "--llm-retry-delay-ms", "5", "--llm-retry-max-delay-ms", "100"];
    const modules = ["--tasks", fixturePath("process-tasks.js"), "--tasks", fixturePath("model-tasks.js")];
    test = await startTestStack({
      workerArgs: [...flags, ...retries, ...modules],
      workerEnv: { TASKWIRE_LLM_API_KEY: KEY, TASKWIRE_SLOTS: "4", TASKWIRE_CANCEL_GRACE_MS: "100" },
    });
    output = join(test.dataDir, "reports");
  });

  after(async () => {
    await test?.stop();
    await server.stop();
  });

  beforeEach(() => {
    server.behaveAlways({ kind: "answer" });
    server.requests.length = 0;
  });

  const create = (name: string, options: CreateOptions = {}) => {
    const documents = [{ path: documentFixture("tides.md") }, { path: documentFixture("tides.ko.md") }];
    const payload = { topic: "tides", documents, plan: [{ title: "Causes" }], outputPath: join(output, `${name}.md`) };
    return test.client.create("report.generate", payload, options);
  };

  async function ended(id: string): Promise<{ readonly task: Task; readonly events: readonly TaskEvent[] }> {
    const events = await historyOf(test.client, id);
    expectWholeHistory(events);
    return { task: await test.client.get(id), events };
  }

  it("have it answered with the worker's flags, and the key by nothing but the environment", async () => {
    const { id } = await create("answered");
    const { task, events } = await ended(id);
    expect(task).to.include({ state: TaskState.COMPLETED, attempt: 1 });
    expect(task.result).to.deep.include({ provider: "openai", model: "test-model", sections: 1, documents: 2 });
    expect(readFileSync(join(output, "answered.md"), "utf8")).to.include("Answer 1.");
    expect(readFileSync(join(output, "answered.html"), "utf8")).to.include("<p>Answer 1.</p>");
    expect(valuesOf(events, "progress").at(-1)).to.include({ message: "done" });
    const commands = (await listProcesses()).map(({ command }) => command);
    expect(commands.filter((command) => command.includes(server.openAiUrl))).to.have.lengthOf(1);
    expect(commands.filter((command) => command.includes(KEY))).to.deep.equal([]);
  });

  it("fail, after retries with backoff, with the message of a provider that fails", async () => {
    server.behaveAlways({ kind: "status", status: 500 });
    const { id } = await create("failing", { maxAttempts: 3, initialDelayMs: 20 });
    const { task, events } = await ended(id);
    const error = { code: "LLM_UNAVAILABLE", message: "the model provider answered 500 (api_error) (2 tries)" };
    expect(task).to.include({ state: TaskState.FAILED, attempt: 3 });
    expect(task.error).to.include({ ...error, retryable: true });
    expect(task.error?.details).to.deep.include({ status: 500, tries: 2 });
    const kinds = kindsOf(events).filter((kind) => kind !== "progress");
    const retried = ["started", "retryScheduled"];
    expect(kinds).to.deep.equal(["created", ...retried, ...retried, "started", "failed"]);
    for (const { error: told } of valuesOf(events, "retryScheduled")) expect(told).to.include(error);
    expect(valuesOf(events, "failed")[0]?.error).to.include(error);
    expect(server.requests).to.have.lengthOf(6);
    expect(readdirSync(output).filter((name) => name.includes("failing"))).to.deep.equal([]);
  });

  it("wait as long as a rate limit asks", async () => {
    server.behave({ kind: "status", status: 429, headers: { "retry-after": "1" } });
    const { id } = await create("limited", { maxAttempts: 2, initialDelayMs: 0 });
    const { event, value } = await eventOf(test.client, id, "retryScheduled");
    expect(value.error).to.include({ code: "LLM_RATE_LIMIT" });
    expect((value.runTime?.getTime() ?? 0) - (event.time?.getTime() ?? 0)).to.be.within(900, 1000);
    expect((await endOf(test.client, id)).state).to.equal(TaskState.COMPLETED);
  });

  it("fail at once when the provider rejects the key", async () => {
    server.behaveAlways({ kind: "status", status: 401 });
    const { task } = await ended((await create("rejected")).id);
    expect(task).to.include({ state: TaskState.FAILED, attempt: 1 });
    expect(task.error).to.include({ code: "LLM_REJECTED", retryable: false });
  });

  it("stop at the soft limit when the provider hangs", async () => {
    server.behaveAlways({ kind: "hang", at: "headers" });
    const { id } = await create("hanging", { maxAttempts: 1, softTimeoutMs: 1000, hardTimeoutMs: 60_000 });
    const { task, events } = await ended(id);
    expect(task.error).to.include({ code: "SOFT_TIMEOUT" });
    expect(task.error?.message).to.include("soft limit of 1000 ms");
    expect(
      kindsOf(events)
        .filter((kind) => kind !== "progress")
        .slice(-2),
    ).to.deep.equal(["softLimitReached", "failed"]);
    expect(valuesOf(events, "failed")[0]?.error).to.deep.equal(task.error);
  });

  it("are killed at the hard limit when the provider hangs and they do not heed the soft one", async () => {
    server.behaveAlways({ kind: "hang", at: "body" });
    const { id } = await test.client.create(
      "model.deaf",
      {},
      { maxAttempts: 1, softTimeoutMs: 600, hardTimeoutMs: 1000 },
    );
    const { task, events } = await ended(id);
    expect(task.error).to.include({ code: "HARD_TIMEOUT", retryable: true });
    expect(kindsOf(events).slice(-2)).to.deep.equal(["softLimitReached", "failed"]);
    expect(valuesOf(events, "failed")[0]?.error).to.deep.equal(task.error);
  });

  it("end their attempt when an API call takes too long, with a message that GetTask shows", async () => {
    server.behaveAlways({ kind: "hang", at: "headers" });
    const settings = { TASKWIRE_LLM_PROVIDER: "anthropic", TASKWIRE_LLM_MODEL: "m", TASKWIRE_LLM_BASE_URL: server.url };
    const env = { ...settings, TASKWIRE_LLM_API_KEY: KEY, TASKWIRE_REPORT_CALL_TIMEOUT_MS: "150" };
    const worker = await test.stack.addWorker({ args: ["--queues", "impatient"], env });
    const { id } = await create("late", { queue: "impatient", maxAttempts: 2, initialDelayMs: 60_000 });
    const { value } = await eventOf(test.client, id, "retryScheduled");
    const task = await test.client.get(id);
    expect(task).to.include({ state: TaskState.PENDING, attempt: 1 });
    expect(task.error).to.include({ code: "LLM_TIMEOUT", retryable: true });
    expect(task.error?.message).to.equal("the language model did not write a section within 150 ms");
    expect(value.error).to.deep.equal(task.error);
    await worker.stop();
  });

  it("leave GetTask to answer, three of them and a handler that spins the CPU at once", async () => {
    const { client } = test;
    const gate = deferred<undefined>();
    server.answer = async () => {
      await gate.promise;
      return "At last.";
    };
    const spinning = await client.create("process.spin", {}, { maxAttempts: 1 });
    const reports = await Promise.all(["one", "two", "three"].map((name) => create(name)));
    await until("the provider is asked by all three", () => server.requests.length === 3);
    for (let round = 0; round < 10; round += 1) {
      for (const { id } of [spinning, ...reports]) expect((await client.get(id)).state).to.equal(TaskState.RUNNING);
    }
    gate.resolve(undefined);
    for (const { id } of reports) expect((await endOf(client, id)).state).to.equal(TaskState.COMPLETED);
    expect((await client.get(spinning.id)).state).to.equal(TaskState.RUNNING);
    expect(["one", "two", "three"].every((name) => existsSync(join(output, `${name}.html`)))).to.equal(true);
    await client.cancel(spinning.id);
    expect((await endOf(client, spinning.id)).state).to.equal(TaskState.CANCELLED);
  });
});
