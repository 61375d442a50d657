import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { RetryableError } from "#libs/define-task/define-task.js";
import { documentFixture } from "#test/support/document-fixture.js";
import { freshDirectory } from "#test/support/fresh-directory.js";
import { ModelServer } from "#test/support/model-server.js";
import { rejectionOf } from "#test/support/rejection-of.js";
import { runHandler } from "#test/support/run-handler.js";
import { until } from "#test/support/until.js";
import reportGenerate from "#worker/handlers/report-generate.js";

describe("report.generate with a plan", () => {
  const server = new ModelServer();
  let directory: ReturnType<typeof freshDirectory>;
  let outputPath: string;
  const plan = [{ title: "Causes", about: "Why tides turn." }, { title: "Consequences" }];
  const documents = [
    { path: documentFixture("tides.md") },
    { path: documentFixture("harbour.txt"), title: "Harbour log" },
  ];
  const settings = () => ({
    TASKWIRE_LLM_PROVIDER: "openai",
    TASKWIRE_LLM_MODEL: "test-model",
    TASKWIRE_LLM_BASE_URL: server.openAiUrl,
    TASKWIRE_LLM_RETRY_DELAY_MS: "1",
  });
  const run = (options: { settings?: Record<string, string>; signal?: AbortSignal } = {}, payload: object = {}) =>
    runHandler(reportGenerate, { topic: "moon and tides", documents, outputPath, plan, ...payload }, options);

  before(() => server.start());
  after(() => server.stop());

  beforeEach(() => {
    directory = freshDirectory();
    outputPath = join(directory.path, "report.md");
    server.requests.length = 0;
    server.behaveAlways({ kind: "answer" });
  });

  afterEach(() => directory.remove());

  it("quotes the documents when there is no model, and says so", async () => {
    const { result } = await run();
    expect(result).to.deep.include({ sections: 2, provider: "offline", model: "extractive" });
    const report = readFileSync(outputPath, "utf8");
    expect([...report.matchAll(/^## (.+)$/gm)].slice(0, 3).map((match) => match[1])).to.deep.equal([
      "Contents",
      "Causes",
      "Consequences",
    ]);
    const section = /## Causes\n\n([\s\S]*?)\n\n\*Written by offline from: /.exec(report)?.[1] ?? "";
    const source = readFileSync(documentFixture("tides.md"), "utf8").replace(/\s+/g, " ");
    expect(source).to.include(section.split(/(?<=\.) /)[0]);
    expect(Reflect.get(Object(result), "usage"))
      .to.have.property("inputTokens")
      .that.is.greaterThan(100);
  });

  it("has a model write the sections from the documents, and counts its tokens", async () => {
    server.answer = ({ texts }) =>
      `Text of ${texts.join("").includes("Causes") ? "causes [1]" : "consequences"}. <script>alert(1)</script>`;
    const { result } = await run({ settings: settings() }, { language: "ko" });
    expect(result).to.deep.include({ sections: 2, provider: "openai", model: "test-model" });
    const [first] = server.requests;
    const prompt = first?.texts.join("\n") ?? "";
    expect(prompt)
      .to.include("moon and tides")
      .and.include("Why tides turn.")
      .and.include('<material number="1">')
      .and.include("“ko”");
    const report = readFileSync(outputPath, "utf8");
    expect(report)
      .to.include("Text of causes [1]. &lt;script>")
      .and.include("openai: test-model")
      .and.include("Text of consequences.");
    const page = readFileSync(outputPath.replace(".md", ".html"), "utf8");
    expect(page).to.include("&lt;script&gt;alert(1)").and.include('<a id="section-2"></a>');
    expect(page).not.to.include("<script");
    expect(result)
      .to.have.property("usage")
      .that.includes({ outputTokens: 9 })
      .and.property("inputTokens")
      .greaterThan(50);
  });

  it("writes no section when the plan is empty", async () => {
    const { result } = await run({ settings: settings() }, { plan: [] });
    expect(result).to.deep.include({ sections: 0, usage: { inputTokens: 0, outputTokens: 0 } });
    expect(server.requests).to.have.lengthOf(0);
  });

  it("ends with LLM_TIMEOUT when a section is not written in time, whatever a single try may take, and leaves nothing behind", async () => {
    server.behaveAlways({ kind: "hang", at: "headers" });
    const error = await rejectionOf(run({ settings: { ...settings(), TASKWIRE_REPORT_CALL_TIMEOUT_MS: "100" } }));
    expect(error).to.be.instanceOf(RetryableError).with.property("code", "LLM_TIMEOUT");
    expect(error.message).to.equal("the language model did not write a section within 100 ms");
    expect(server.requests).to.have.lengthOf(1);
    expect(readdirSync(directory.path)).to.deep.equal([]);
  });

  it("fails as its model fails", async () => {
    server.behaveAlways({ kind: "status", status: 429, headers: { "retry-after": "60" } });
    const error = await rejectionOf(run({ settings: settings() }));
    expect(error).to.be.instanceOf(RetryableError).and.include({ code: "LLM_RATE_LIMIT", retryAfterMs: 60_000 });
    server.behaveAlways({ kind: "answer", text: "x".repeat(100_001) });
    expect(await rejectionOf(run({ settings: settings() }))).to.have.property("code", "LLM_PARSE_ERROR");
  });

  it("stops within a call when its signal fires", async () => {
    server.behaveAlways({ kind: "hang", at: "body" });
    const controller = new AbortController();
    const reason = new Error("cancelled in the test");
    const stopped = rejectionOf(run({ settings: settings(), signal: controller.signal }));
    await until("the model is asked", () => server.requests.length > 0);
    controller.abort(reason);
    expect(await stopped).to.equal(reason);
    expect(readdirSync(directory.path)).to.deep.equal([]);
  });

  for (const [what, payload] of [
    ["31 sections", { plan: Array.from({ length: 31 }, () => ({ title: "x" })) }],
    ["a section without a title", { plan: [{ title: " " }] }],
    ["a title of 201 characters", { plan: [{ title: "x".repeat(201) }] }],
    ["a source that is two", { documents: [{ text: "x", url: "http://localhost/" }] }],
    ["a URL that is none of the web", { documents: [{ url: "file:///etc/passwd" }] }],
    ["a field that it does not know", { summary: true }],
  ] as const) {
    it(`refuses ${what}`, async () => {
      expect((await rejectionOf(run({}, payload))).message).to.match(/^payload refused/);
    });
  }
});
