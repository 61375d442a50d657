import { expect } from "chai";
import { PermanentError, RetryableError } from "#libs/define-task/define-task.js";
import { copiedDocuments } from "#test/support/copied-documents.js";
import { freshDirectory } from "#test/support/fresh-directory.js";
import { ModelServer, type ModelRequest } from "#test/support/model-server.js";
import { rejectionOf } from "#test/support/rejection-of.js";
import { researchResultOf } from "#test/support/research-result.js";
import { runHandler, type RunOptions } from "#test/support/run-handler.js";
import { until } from "#test/support/until.js";
import researchRun from "#worker/handlers/research-run.js";

describe("research.run with a model behind a provider", () => {
  const server = new ModelServer();
  let directory: ReturnType<typeof freshDirectory>;
  let folder: string;

  before(async () => {
    directory = freshDirectory();
    folder = copiedDocuments(directory.path);
    await server.start();
  });

  after(async () => {
    await server.stop();
    directory.remove();
  });

  beforeEach(() => {
    server.requests.length = 0;
    server.behaveAlways({ kind: "answer" });
    server.answer = () => "Answer [1].";
  });

  const run = (payload: object = {}, options: RunOptions = {}) =>
    runHandler(
      researchRun,
      { query: "What do moon and ships do?", folder, ...payload },
      {
        ...options,
        settings: {
          TASKWIRE_LLM_PROVIDER: "openai",
          TASKWIRE_LLM_MODEL: "test-model",
          TASKWIRE_LLM_BASE_URL: server.openAiUrl,
          TASKWIRE_LLM_API_KEY: "key of models",
          TASKWIRE_LLM_RETRIES: "0",
        },
      },
    );
  const systemOf = ({ texts }: ModelRequest) => texts.find((text) => text.startsWith("system: ")) ?? "";
  const userOf = ({ texts }: ModelRequest) => texts.find((text) => text.startsWith("user: ")) ?? "";
  const kindOf = (request: ModelRequest) =>
    /^system: (Split|You write|You check)/.exec(systemOf(request))?.[1] ?? expect.fail("an unknown request");

  it("plans, drafts each section, and drafts again what its critique names", async () => {
    let checks = 0;
    server.answer = (request) => {
      const kind = kindOf(request);
      if (kind === "Split") return "1. How does the moon pull the ocean?\n2. What is in the log of ships?\n";
      if (kind === "You check") return (checks += 1) === 1 ? "Section 2: say who reads it" : "OK";
      return userOf(request).includes("Repair this:")
        ? "Dr. Ellis reads it [1]."
        : "Something that stands there [1], and something that does not [7].";
    };
    const { result, outputs } = await run();
    const { report, sources, usage, ...rest } = researchResultOf(result);
    expect(rest).to.include({ status: "completed", provider: "openai", model: "test-model" });
    expect(server.requests.map(kindOf)).to.deep.equal([
      "Split",
      "You write",
      "You write",
      "You check",
      "You write",
      "You check",
    ]);
    const number = (path: string) => sources.findIndex((source) => source.path === path) + 1;
    expect(report).to.equal(
      [
        "# What do moon and ships do?",
        "## How does the moon pull the ocean?",
        `Something that stands there [${number("tides.md")}], and something that does not.`,
        "## What is in the log of ships?",
        `Dr. Ellis reads it [${number("harbour.txt")}].`,
        "## Sources",
        sources.map(({ title, path }, index) => `${index + 1}. ${title} — ${path}`).join("\n"),
        "",
      ]
        .join("\n\n")
        .replace(/\n\n$/, "\n"),
    );
    expect(outputs.map(({ name, text }) => [name, text.split("\n")[0]])).to.deep.equal([
      ["plan", "1. How does the moon pull the ocean?"],
      ["draft", "## 1.1 How does the moon pull the ocean?"],
      ["draft", "## 1.2 What is in the log of ships?"],
      ["critique", "## 1"],
      ["draft", "## 2.2 What is in the log of ships?"],
      ["critique", "## 2"],
    ]);
    const words = (text: string) => text.split(/\s+/).filter((word) => word !== "").length;
    expect(usage.inputTokens).to.equal(server.requests.reduce((sum, { texts }) => sum + words(texts.join(" ")), 0));
    expect(usage.outputTokens).to.be.greaterThan(20);
  });

  it("shows the model the passages it may cite, and lists faults that are still there after the last revision", async () => {
    server.answer = (request) => (kindOf(request) === "You check" ? "- 1: still wrong" : "The moon pulls [1].");
    const { result } = await run({ query: "Why does the moon pull?", maxRevisions: 2, language: "ko" });
    const requests = server.requests.filter((request) => kindOf(request) === "You write");
    expect(requests).to.have.lengthOf(3);
    expect(userOf(requests[0] ?? expect.fail())).to.match(
      /<material number="1">\n# Why tides turn\n\n### Why tides turn\n\nThe Moon pulls the oceans/,
    );
    expect(systemOf(requests[0] ?? expect.fail())).to.include("language with the code “ko”");
    expect(userOf(requests[2] ?? expect.fail())).to.include(
      "Your earlier text:\nThe moon pulls [1].\n\nRepair this:\n- still wrong",
    );
    expect(researchResultOf(result).report).to.include("## 남은 문제\n\n- still wrong\n\n## 출처");
  });

  it("keeps the result within its bound whatever the model writes", async () => {
    server.answer = (request) =>
      kindOf(request) === "Split"
        ? Array.from({ length: 9 }, (_, index) => `${index} moon ${"달".repeat(1000)}`).join("\n")
        : `${'\u0001"밀물\\'.repeat(20_000)} [1]`;
    const { result } = await run({ query: "moon ".repeat(200), maxQuestions: 5, maxRevisions: 0 });
    expect(researchResultOf(result).report.match(/^## /gm)).to.have.lengthOf(7);
    expect(Buffer.byteLength(JSON.stringify(result))).to.be.within(100_000, 256 * 1024);
  });

  it("passes the model's errors on with their codes", async () => {
    server.behave({ kind: "status", status: 429, headers: { "retry-after": "7" } });
    expect(await rejectionOf(run()))
      .to.be.instanceOf(RetryableError)
      .that.includes({ code: "LLM_RATE_LIMIT", retryAfterMs: 7000 });
    server.behave({ kind: "answer" }, { kind: "malformed" });
    expect(await rejectionOf(run()))
      .to.be.instanceOf(RetryableError)
      .that.includes({ code: "LLM_PARSE_ERROR" });
    server.behave({ kind: "status", status: 401 });
    expect(await rejectionOf(run()))
      .to.be.instanceOf(PermanentError)
      .that.includes({ code: "LLM_REJECTED" });
  });

  for (const [step, answered] of [
    ["plan", 0],
    ["draft", 1],
    ["critique", 2],
  ] as const) {
    it(`stops within a ${step} that hangs`, async () => {
      const controller = new AbortController();
      const reason = new Error("cancelled in the test");
      server.behave(...Array.from({ length: answered }, () => ({ kind: "answer" }) as const));
      server.behaveAlways({ kind: "hang", at: "headers" });
      const stopped = rejectionOf(run({}, { signal: controller.signal }));
      await until("the request that hangs", () => server.requests.length > answered);
      controller.abort(reason);
      expect(await stopped).to.equal(reason);
    });
  }
});
