import { expect } from "chai";
import { z } from "zod";
import { TaskState, type CreateOptions, type Task, type TaskEvent } from "#libs/client/taskwire-client.js";
import { copiedDocuments } from "#test/support/copied-documents.js";
import { expectWholeHistory, historyOf, kindsOf, valuesOf } from "#test/support/follow-task.js";
import { freshDirectory } from "#test/support/fresh-directory.js";
import { startReceiver, type HttpReceiver } from "#test/support/http-receiver.js";
import { ModelServer } from "#test/support/model-server.js";
import { researchResultOf } from "#test/support/research-result.js";
import { runCli } from "#test/support/run-cli.js";
import { startTestStack, type TestStack } from "#test/support/test-stack.js";
import { until } from "#test/support/until.js";

const QUERY = "Why are there spring tides?";
/** The queue of a worker that has a folder, and neither a provider nor an endpoint. */
const PLAIN = "plain";

describe("A task of research.run", function () {
  this.timeout(60_000);
  const server = new ModelServer();
  let endpoint: HttpReceiver;
  let directory: ReturnType<typeof freshDirectory>;
  let test: TestStack;

  before(async () => {
    directory = freshDirectory();
    await server.start();
    endpoint = await startReceiver((response) => response.writeHead(503).end());
    const flags = ["--research-folder", copiedDocuments(directory.path), "--progress-interval-ms", "0", "--slots", "2"];
    test = await startTestStack({
      workerArgs: flags,
      workerEnv: {
        TASKWIRE_LLM_PROVIDER: "openai",
        TASKWIRE_LLM_MODEL: "test-model",
        TASKWIRE_LLM_BASE_URL: server.openAiUrl,
        TASKWIRE_LLM_API_KEY: "key-of-models",
        TASKWIRE_RESEARCH_SEARCH_URL: endpoint.url,
      },
    });
    await test.stack.addWorker({
      args: [...flags, "--queues", PLAIN],
      env: { TASKWIRE_LLM_PROVIDER: "offline", TASKWIRE_RESEARCH_SEARCH_URL: "" },
    });
  });

  after(async () => {
    await test?.stop();
    await endpoint.close();
    await server.stop();
    directory.remove();
  });

  beforeEach(() => {
    server.requests.length = 0;
    server.behaveAlways({ kind: "answer" });
    server.answer = ({ texts }) =>
      texts.some((text) => text.startsWith("system: You check")) ? "OK" : "It is so [1].";
  });

  const create = (payload: Record<string, unknown> = {}, options: CreateOptions = {}) =>
    test.client.create("research.run", { query: QUERY, search: false, ...payload }, options);

  async function ended(id: string): Promise<{ readonly task: Task; readonly events: readonly TaskEvent[] }> {
    const events = await historyOf(test.client, id);
    expectWholeHistory(events);
    return { task: await test.client.get(id), events };
  }

  const outputsOf = (events: readonly TaskEvent[]) =>
    valuesOf(events, "output").map(({ name, text }) => ({ name, text }));

  it("tells a client that watches each stage, and streams plan, drafts and critique", async () => {
    const { task, events } = await ended((await create()).id);
    expect(task).to.include({ state: TaskState.COMPLETED, attempt: 1 });
    const messages = valuesOf(events, "progress").map(({ message }) => message);
    expect([...new Set(messages)]).to.deep.equal([
      "initializing workflow",
      "creating graph",
      "running research",
      "finalizing results",
    ]);
    expect(outputsOf(events)).to.deep.equal([
      { name: "plan", text: "1. It is so [1].\n" },
      { name: "draft", text: "## 1.1 It is so [1].\n\nIt is so [1].\n\n" },
      { name: "critique", text: "## 1\n\nOK\n\n" },
    ]);
    const { report, ...rest } = researchResultOf(task.result);
    expect(rest).to.include({
      status: "completed",
      provider: "openai",
      sessionId: `research-${task.id}`,
      query: QUERY,
    });
    expect(report).to.include("It is so [1].");
  });

  it("runs by the command line without any provider, in English and Korean, and is watched as JSON lines", async () => {
    const cli = (...args: string[]) => runCli([...args, "--address", test.address]);
    const payload = JSON.stringify({ query: "달의 중력과 조석력" });
    const ran = await cli("run", "research.run", payload, "--queue", PLAIN);
    expect(ran).to.include({ exitCode: 0 });
    const korean = researchResultOf(JSON.parse(ran.stdout));
    expect(korean).to.include({ provider: "offline", status: "completed" });
    expect(korean.report).to.include("조석력이 생긴다.").and.include("## 출처\n\n1. 밀물과 썰물");
    const { id } = await create({}, { queue: PLAIN });
    const watched = await cli("watch", id, "--after", "0", "--json");
    expect(watched.exitCode).to.equal(0);
    const output = z.object({ kind: z.literal("output"), output: z.object({ name: z.string(), text: z.string() }) });
    const chunks = watched.stdout
      .trim()
      .split("\n")
      .map((line) => output.safeParse(JSON.parse(line)).data?.output)
      .filter((chunk) => chunk !== undefined);
    expect(chunks.map(({ name }) => name)).to.deep.equal(["plan", "draft", "critique"]);
    expect(chunks[1]?.text).to.match(/^## 1\.1 Why are there spring tides\?\n\n.*spring tide.* \[1\]/);
  });

  it("completes with a warning when the search endpoint fails, and fails for good without any source", async () => {
    const searched = await create({ search: true });
    const nothing = await create({ query: "zeppelin" }, { queue: PLAIN });
    const { task } = await ended(searched.id);
    expect(task.state).to.equal(TaskState.COMPLETED);
    expect(task.warnings.map(({ code }) => code)).to.deep.equal(["SEARCH_UNAVAILABLE"]);
    expect(researchResultOf(task.result).status).to.equal("partial");
    const { task: failed } = await ended(nothing.id);
    expect(failed).to.include({ state: TaskState.FAILED, attempt: 1 });
    expect(failed.error).to.include({ code: "NO_SOURCES", retryable: false });
  });

  it("stops by itself within a model call that hangs, cancelled or at its soft limit", async () => {
    server.behaveAlways({ kind: "hang", at: "headers" });
    const cancelled = await create();
    await until("the request that hangs", () => server.requests.length > 0);
    await test.client.cancel(cancelled.id, "no longer wanted");
    const slow = await create({}, { softTimeoutMs: 1000, hardTimeoutMs: 50_000, maxAttempts: 1 });
    const { task, events } = await ended(cancelled.id);
    expect(task.state).to.equal(TaskState.CANCELLED);
    expect(kindsOf(events)).to.include("cancelAcknowledged").and.not.include("cancelGraceExpired");
    const { task: late } = await ended(slow.id);
    expect(late).to.include({ state: TaskState.FAILED });
    expect(late.error).to.include({ code: "SOFT_TIMEOUT", retryable: true });
  });
});
