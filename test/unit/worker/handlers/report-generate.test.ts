import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { PermanentError } from "#libs/define-task/define-task.js";
import { documentFixture } from "#test/support/document-fixture.js";
import { freshDirectory } from "#test/support/fresh-directory.js";
import { rejectionOf } from "#test/support/rejection-of.js";
import { runHandler, type RunOptions } from "#test/support/run-handler.js";
import reportGenerate from "#worker/handlers/report-generate.js";

describe("report.generate", () => {
  let directory: ReturnType<typeof freshDirectory>;
  let outputPath: string;
  const documents = [
    { path: documentFixture("harbour.txt"), title: "Harbour log" },
    { path: documentFixture("tides.ko.md") },
    { path: documentFixture("tides.md") },
    { path: documentFixture("picture.md") },
    { path: documentFixture("empty.md") },
    { text: "# Bread\n\nThe baker kneads the dough before sunrise." },
  ];
  const run = (payload: object, options?: RunOptions) =>
    runHandler(reportGenerate, { topic: "moon and tides", documents, outputPath, ...payload }, options);

  beforeEach(() => {
    directory = freshDirectory();
    outputPath = join(directory.path, "deep", "report.md");
  });

  afterEach(() => directory.remove());

  it("writes the report it describes", async () => {
    const { result } = await run({});
    const bytes = readFileSync(outputPath);
    expect(result).to.deep.include({
      path: outputPath,
      bytes: bytes.length,
      sha256: createHash("sha256").update(bytes).digest("hex"),
      documents: 4,
      skippedCount: 2,
    });
    expect(result).to.have.property("skipped").that.has.lengthOf(2);
    expect(readdirSync(join(directory.path, "deep"))).to.deep.equal(["report.html", "report.md"]);
    const page = readFileSync(outputPath.replace(".md", ".html"));
    expect(result).to.deep.include({
      html: {
        path: outputPath.replace(".md", ".html"),
        bytes: page.length,
        sha256: createHash("sha256").update(page).digest("hex"),
      },
    });
  });

  it("orders documents by relevance and gives the counts of all", async () => {
    await run({});
    const report = readFileSync(outputPath, "utf8");
    const headings = [...report.matchAll(/^### (.+)$/gm)].map((match) => match[1]);
    expect(headings).to.deep.equal(["1. Why tides turn", "2. Harbour log", "3. 밀물과 썰물", "4. Bread"]);
    // 84 (tides) + 32 (harbour) + 54 (Korean tides) + 8 (bread), each counted by hand.
    expect(report).to.include("| Words | 178 |").and.include("| Languages | English (3), Korean (1) |");
    expect(report).to.include("| 1 | [Why tides turn](#document-1) | 1.000 | 84 | en |");
    expect(report).to.include("> When the Sun and the Moon stand in one line, their tidal forces add up.");
    expect(report).to.match(/picture\.md \| NOT\\_TEXT: /);
    for (const [, anchor] of report.matchAll(/\]\(#([a-z0-9-]+)\)/g))
      expect(report).to.include(`<a id="${anchor}"></a>`);
  });

  it("finds Korean documents by a Korean topic whatever particles they carry", async () => {
    await run({ topic: "달의 중력", language: "ko" });
    const report = readFileSync(outputPath, "utf8");
    expect(report).to.match(/^### 1\. 밀물과 썰물$/m);
    expect(report).to.include("## 관련도순 문서").and.include("| 언어 | 영어 (3), 한국어 (1) |");
  });

  it("gives byte for byte the same report to a retried attempt, and removes what a killed one left", async () => {
    const first = await run({});
    const leftover = join(directory.path, "deep", ".report.md.0199aaaa-0000-7000-8000-000000000001.1.tmp");
    const before = readFileSync(outputPath);
    writeFileSync(leftover, "half a rep");
    const second = await run({}, { attempt: 2 });
    expect(readFileSync(outputPath).equals(before)).to.equal(true);
    expect(second.result).to.have.property("sha256", Reflect.get(Object(first.result), "sha256"));
    expect(existsSync(leftover)).to.equal(false);
  });

  it("says what it is doing", async () => {
    const { progress } = await run({});
    expect(progress.map(({ current }) => current)).to.deep.equal([0, 1, 2, 3, 4, 5, 6, 7, 8]);
    expect(progress[0]).to.deep.include({ total: 8, message: "reading Harbour log" });
    expect(progress.slice(6).map(({ message }) => message)).to.deep.equal([
      "writing section Summary",
      "saving",
      "done",
    ]);
  });

  it("leaves nothing behind when its signal fires before it saves", async () => {
    const controller = new AbortController();
    const reason = new Error("cancelled in the test");
    const stopped = run(
      {},
      { signal: controller.signal, onProgress: ({ current }) => current === 7 && controller.abort(reason) },
    );
    expect(await rejectionOf(stopped)).to.equal(reason);
    expect(readdirSync(directory.path)).to.deep.equal([]);
  });

  it("refuses an output path that is a directory before it reads anything", async () => {
    const { length } = readdirSync(directory.path);
    const error = await rejectionOf(run({ outputPath: directory.path, documents: [{ path: "/no/such/file" }] }));
    expect(error).to.be.instanceOf(PermanentError);
    expect(error.code).to.equal("OUTPUT_IS_DIRECTORY");
    expect(readdirSync(directory.path)).to.have.lengthOf(length);
  });

  it("fails for good when no document can be used", async () => {
    const error = await rejectionOf(run({ documents: [{ path: "/no/such/file" }, { text: " " }] }));
    expect(error).to.be.instanceOf(PermanentError);
    expect(error.code).to.equal("NO_DOCUMENTS");
    expect(existsSync(outputPath)).to.equal(false);
  });

  it("writes to .taskwire/artifacts of the current directory when no path is given", async () => {
    const before = process.cwd();
    process.chdir(directory.path);
    try {
      const { result } = await run({ outputPath: undefined }, { taskId: "0199aaaa-0000-7000-8000-00000000000a" });
      const path = join(process.cwd(), ".taskwire", "artifacts", "0199aaaa-0000-7000-8000-00000000000a.md");
      expect(result).to.have.property("path", path);
      expect(existsSync(path)).to.equal(true);
    } finally {
      process.chdir(before);
    }
  });

  it("escapes what would break its Markdown", async () => {
    await run({
      topic: "a | b <script>",
      documents: [{ text: "Pipes | and *stars* are plain here.", title: "x | y [z]" }],
    });
    const report = readFileSync(outputPath, "utf8");
    expect(report)
      .to.include("# a \\| b \\<script\\>")
      .and.include("[x \\| y \\[z\\]](#document-1)")
      .and.include("> Pipes \\| and stars are");
  });
});
