import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { PermanentError } from "#libs/define-task/define-task.js";
import { copiedDocuments } from "#test/support/copied-documents.js";
import { freshDirectory } from "#test/support/fresh-directory.js";
import { rejectionOf } from "#test/support/rejection-of.js";
import { researchResultOf } from "#test/support/research-result.js";
import { runHandler, type RunOptions } from "#test/support/run-handler.js";
import researchRun from "#worker/handlers/research-run.js";

const DOCS = fileURLToPath(new URL("../../../../../docs", import.meta.url));

describe("research.run", () => {
  let directory: ReturnType<typeof freshDirectory>;
  let folder: string;

  beforeEach(() => {
    directory = freshDirectory();
    folder = copiedDocuments(directory.path);
  });

  afterEach(() => directory.remove());

  const run = (payload: object, options?: RunOptions) =>
    runHandler(researchRun, { query: "How does a worker lose its lease?", folder: DOCS, ...payload }, options);
  const allowing = (path: string) => ({ settings: { TASKWIRE_RESEARCH_FOLDER: path } });

  it("answers from the project's own documents, in sentences that stand in the sources it cites", async () => {
    const { result, progress, logs, outputs } = await run({});
    const { report, sources, usage, ...rest } = researchResultOf(result);
    expect(rest).to.deep.equal({
      status: "completed",
      sessionId: "research-0199aaaa-0000-7000-8000-000000000001",
      query: "How does a worker lose its lease?",
      provider: "offline",
      model: "extractive",
    });
    expect(sources).to.have.lengthOf.within(4, 6);
    expect(sources[0]).to.include({ score: 1 });
    expect(sources.map(({ score }) => score)).to.deep.equal(sources.map(({ score }) => score).sort((a, b) => b - a));
    expect(report)
      .to.match(/^# How does a worker lose its lease\?\n\n/)
      .and.include(`\n\n## Sources\n\n1. ${sources[0]?.title} — ${sources[0]?.path}\n2. `);
    const paragraphs = (report.split("\n\n## Sources")[0] ?? "").split("\n\n").slice(1);
    expect(paragraphs).to.have.lengthOf.above(2);
    for (const paragraph of paragraphs) {
      const [, text = "", number = "0"] = /^([\s\S]+) \[(\d+)\]$/.exec(paragraph) ?? [];
      const file = readFileSync(join(DOCS, sources[Number(number) - 1]?.path ?? ""), "utf8");
      const plain = file.replace(/`|\*\*/g, "").replace(/\s+/g, " ");
      expect(plain).to.include(text.slice(0, text.indexOf(" ", 40)));
    }
    expect(usage.inputTokens).to.be.greaterThan(usage.outputTokens).and.greaterThan(100);
    expect([...new Set(progress.map(({ message }) => message))]).to.deep.equal([
      "initializing workflow",
      "creating graph",
      "running research",
      "finalizing results",
    ]);
    const fractions = progress.map(({ fraction = -1 }) => fraction);
    expect(fractions).to.deep.equal([...new Set(fractions)].sort((a, b) => a - b));
    expect([fractions[0], fractions.at(-1)]).to.deep.equal([0, 1]);
    expect(logs).to.deep.equal(["planned", "gathered", "read", "criticised"]);
    expect(outputs.map(({ name }) => name)).to.deep.equal(["plan", "draft", "critique"]);
    expect(outputs[0]?.text).to.equal("1. How does a worker lose its lease?\n");
  });

  it("finds Korean documents whatever particles their words carry, and reports in Korean", async () => {
    const { result, logs } = await run({ query: "달의 중력과 조석력", folder });
    const { report, sources } = researchResultOf(result);
    expect(sources.map(({ path }) => path)).to.deep.equal(["tides.ko.md"]);
    expect(sources[0]?.excerpt).to.match(/^달의 중력은 바닷물을 끌어당긴다\./);
    expect(report)
      .to.include("조석력이 생긴다.")
      .and.include(" [1]")
      .and.include("## 출처\n\n1. 밀물과 썰물 — tides.ko.md\n");
    // The picture is no text.
    expect(logs).to.include("some files cannot be used");
  });

  it("reads PDF, DOCX, HWP and HWPX beside text, and passes over what it cannot read", async () => {
    const names = ["harbour.ko.pdf", "harbour.en.docx", "paragraphs.hwp", "table.hwpx", "locked.pdf", "harbour.txt"];
    const mixed = copiedDocuments(join(directory.path, "documents"), names);
    const { result, logs } = await run({ query: "harbour 항구", folder: mixed });
    const { sources } = researchResultOf(result);
    expect(sources.map(({ path }) => path)).to.have.members(["harbour.ko.pdf", "harbour.en.docx", "harbour.txt"]);
    expect(logs).to.include("some files cannot be used");
  });

  it("makes a section of every question, and says which the sources leave open", async () => {
    const query = "Why are there spring tides? Which berth does a ship take? Who invented the zeppelin?";
    const { result, outputs } = await run({ query, folder });
    const { report } = researchResultOf(result);
    expect(report).to.match(/## Why are there spring tides\?\n\n.*spring tide.* \[\d\]/);
    expect(report).to.match(/## Which berth does a ship take\?\n\n.*which berth it takes.* \[\d\]/);
    expect(report).to.include("## Who invented the zeppelin?\n\nThe sources do not answer this.");
    expect(report).to.include("## Open points\n\n- The sources do not answer: Who invented the zeppelin?");
    expect(outputs.map(({ name }) => name)).to.deep.equal(["plan", "draft", "draft", "critique"]);
    const { result: short } = await run({ query, folder, maxQuestions: 1, maxSources: 1 });
    expect(researchResultOf(short).report).not.to.include("## Which berth");
    expect(researchResultOf(short).sources).to.have.lengthOf(1);
  });

  it("gives the same report to every attempt and task, wherever the folder lies", async () => {
    const query = "Why are there spring tides?";
    cpSync(folder, join(directory.path, "copy"), { recursive: true });
    const first = researchResultOf((await run({ query, folder })).result);
    const again = await run({ query, folder: join(directory.path, "copy") }, { attempt: 2, taskId: "other" });
    const second = researchResultOf(again.result);
    expect(second).to.deep.equal({ ...first, sessionId: "research-other" });
  });

  it("fails for good where there is nothing to rest on", async () => {
    mkdirSync(join(directory.path, "empty"));
    for (const payload of [
      { query: "zeppelin", folder },
      { folder: undefined },
      { folder: join(directory.path, "empty") },
    ]) {
      const error = await rejectionOf(run(payload));
      expect(error).to.be.instanceOf(PermanentError).with.property("code", "NO_SOURCES");
    }
  });

  it("stops between two steps when its signal fires", async () => {
    const controller = new AbortController();
    const reason = new Error("cancelled in the test");
    const stopped = run(
      {},
      { signal: controller.signal, onProgress: ({ fraction }) => fraction === 0.3 && controller.abort(reason) },
    );
    expect(await rejectionOf(stopped)).to.equal(reason);
  });

  it("refuses payloads beyond its bounds", async () => {
    const wrong = [
      { query: " " },
      { query: "x".repeat(1001) },
      { maxSources: 11 },
      { maxQuestions: 6 },
      { maxRevisions: 4 },
      { language: "de" },
      { folders: DOCS },
    ];
    for (const payload of wrong) expect((await rejectionOf(run(payload))).message).to.match(/^payload refused: /);
  });

  it("keeps to the folder that the settings allow", async () => {
    const allowed = join(directory.path, "allowed");
    mkdirSync(join(allowed, "deep"), { recursive: true });
    writeFileSync(join(allowed, "deep", "lease.md"), "# Lease\n\nA worker loses its lease when it is silent.");
    writeFileSync(join(directory.path, "secret.md"), "# Lease\n\nThis lease is a secret.");
    symlinkSync(directory.path, join(allowed, "way-out"));
    symlinkSync(join(directory.path, "secret.md"), join(allowed, "linked.md"));
    for (const asked of [undefined, ".", "deep", join(allowed, "deep"), "deep/../deep"]) {
      const { sources } = researchResultOf((await run({ folder: asked }, allowing(allowed))).result);
      expect(sources.map(({ title }) => title)).to.deep.equal(["Lease"]);
      expect(sources[0]?.path).to.match(/^(deep\/)?lease\.md$/);
    }
    for (const asked of ["..", directory.path, "way-out", "deep/../../allowed-too", "/no/such/folder"]) {
      const error = await rejectionOf(run({ folder: asked }, allowing(allowed)));
      expect(error).to.be.instanceOf(PermanentError).with.property("code", "FOLDER_REFUSED");
    }
    const file = await rejectionOf(run({ folder: "deep/lease.md" }, allowing(allowed)));
    expect(file).to.be.instanceOf(PermanentError).with.property("code", "NOT_A_FOLDER");
    const missing = await rejectionOf(run({ folder: "no-such" }, allowing(allowed)));
    expect(missing).to.be.instanceOf(PermanentError).with.property("code", "FILE_NOT_FOUND");
  });
});
