import { createHash } from "node:crypto";
import { readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { TaskState } from "#libs/client/taskwire-client.js";
import { documentFixture } from "#test/support/document-fixture.js";
import { historyOf, kindsOf, valuesOf } from "#test/support/follow-task.js";
import { pdfBomb, repacked, scannedPdf } from "#test/support/made-documents.js";
import { runCli } from "#test/support/run-cli.js";
import { startTestStack, type TestStack } from "#test/support/test-stack.js";

const MEBIBYTE = 1024 * 1024;

describe("Documents through the whole stack", function () {
  this.timeout(60_000);
  let test: TestStack;

  before(async () => {
    test = await startTestStack({ workerEnv: { TASKWIRE_CHUNK_SECTION_CHARACTERS: "400" } });
  });

  after(() => test?.stop());

  const file = (name: string, content: Buffer): string => {
    const path = join(test.dataDir, name);
    writeFileSync(path, content);
    return path;
  };

  for (const [name, format, words] of [
    ["harbour.ko.pdf", "pdf", "모든 배는 방파제를 지나기 전에 무선으로 알립니다."],
    ["harbour.en.docx", "docx", "Mina Berg keeps the log."],
    ["greeting.hwp", "hwp", "이것은 샘플입니다."],
    ["table.hwpx", "hwpx", "칠득이"],
  ] as const) {
    it(`taskwire run document.extract tells the text of ${name}`, async () => {
      const payload = JSON.stringify({ path: documentFixture(name) });
      const { stdout, stderr, exitCode } = await runCli(["run", "document.extract", payload], {
        env: { TASKWIRE_ADDRESS: test.address },
      });
      expect({ stderr, exitCode }).to.deep.equal({ stderr: "", exitCode: 0 });
      const result: unknown = JSON.parse(stdout);
      expect(result).to.include({ format });
      expect(result).to.have.property("text").that.includes(words);
    });
  }

  it("document.chunk cuts by the worker's settings", async () => {
    expect(await test.client.run("document.chunk", { path: documentFixture("harbour.en.pdf") })).to.include({
      maxCharacters: 400,
      overlapCharacters: 200,
      count: 2,
    });
  });

  it("a large text is in a file with the size and hash of the result", async () => {
    const path = file("large.md", Buffer.from("한 문장입니다. ".repeat(20_000)));
    const outputPath = join(test.dataDir, "large.txt");
    const result = await test.client.run("document.extract", { path, outputPath });
    const bytes = readFileSync(outputPath);
    expect(result).to.deep.include({
      artifact: { path: outputPath, sha256: createHash("sha256").update(bytes).digest("hex"), bytes: bytes.length },
    });
  });

  it("documents that nobody can read fail at their first attempt, with their code on the watch and in GetTask", async () => {
    const large = file("large.pdf", Buffer.from("%PDF-1.7\n"));
    truncateSync(large, 50 * MEBIBYTE + 1);
    const bomb = repacked("harbour.en.docx", { "word/document.xml": Buffer.alloc(2 * MEBIBYTE, " ") });
    const half = readFileSync(documentFixture("paragraphs.hwp")).subarray(0, 5000);
    for (const [path, code, reason] of [
      [file("scan.pdf", scannedPdf()), "NO_TEXT", undefined],
      [file("half.hwp", half), "INVALID_FILE", "truncated"],
      [file("bomb.docx", bomb), "INVALID_FILE", "archive_limit"],
      [documentFixture("locked.pdf"), "INVALID_FILE", "encrypted"],
      [large, "FILE_TOO_LARGE", undefined],
    ] as const) {
      const { id } = await test.client.create("document.extract", { path }, { maxAttempts: 3 });
      const events = await historyOf(test.client, id);
      const task = await test.client.get(id);
      expect(task).to.include({ state: TaskState.FAILED, attempt: 1 });
      expect(task.error).to.include({ code, retryable: false });
      expect(task.error?.details?.["reason"]).to.equal(reason);
      expect(kindsOf(events).at(-1)).to.equal("failed");
      expect(valuesOf(events, "failed")[0]?.error).to.deep.equal(task.error);
    }
  });

  it("a PDF that unpacks to more than the memory cap ends its process, once, and the worker goes on", async () => {
    const path = file("bomb.pdf", pdfBomb(120 * MEBIBYTE));
    const options = { maxAttempts: 3, memoryBytes: 32 * MEBIBYTE };
    const { id } = await test.client.create("document.extract", { path }, options);
    await test.client.waitFor(id);
    const task = await test.client.get(id);
    expect(task).to.include({ state: TaskState.FAILED, attempt: 1 });
    expect(task.error).to.include({ code: "OUT_OF_MEMORY" });
    expect(await test.client.run("document.extract", { text: "Still here." })).to.include({ text: "Still here." });
  });
});
