import { createHash } from "node:crypto";
import { openSync, closeSync, ftruncateSync, readFileSync, readdirSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { PermanentError } from "#libs/define-task/define-task.js";
import { documentFixture } from "#test/support/document-fixture.js";
import { freshDirectory } from "#test/support/fresh-directory.js";
import { repacked, scannedPdf } from "#test/support/made-documents.js";
import { rejectionOf } from "#test/support/rejection-of.js";
import { runHandler } from "#test/support/run-handler.js";
import documentExtract from "#worker/handlers/document-extract.js";

const MEBIBYTE = 1024 * 1024;

describe("document.extract", () => {
  let directory: ReturnType<typeof freshDirectory>;

  beforeEach(() => {
    directory = freshDirectory();
  });

  afterEach(() => directory.remove());

  const extract = async (payload: object): Promise<unknown> => (await runHandler(documentExtract, payload)).result;
  const file = (name: string, content: Buffer | string): string => {
    const path = join(directory.path, name);
    writeFileSync(path, content);
    return path;
  };
  const refusal = async (path: string): Promise<unknown> => {
    const error = await rejectionOf(extract({ path }));
    expect(error).to.be.instanceOf(PermanentError);
    return error.code;
  };

  it("gives a document's text, what it is, and how much", async () => {
    const { result, progress } = await runHandler(documentExtract, { path: documentFixture("harbour.ko.pdf") });
    expect(result).to.deep.include({
      format: "pdf",
      title: "항구 안내서",
      pages: 2,
      // Words counted by hand; two of the 153 letters are Latin.
      words: 56,
      paragraphs: 2,
      koreanShare: 0.987,
    });
    expect(result).to.have.property("text").that.includes("김하늘은 일지를 쓰고").and.has.lengthOf(224);
    expect(result).to.have.property("characters", 224);
    expect(progress).to.deep.include({ current: 2, total: 2, message: "extracting" });
    expect(progress.at(-1)).to.deep.equal({ fraction: 1, message: "done" });
  });

  it("reads every format", async () => {
    for (const [name, format, words] of [
      ["harbour.en.docx", "docx", "Berth one is for fishing boats."],
      ["greeting.hwp", "hwp", "이것은 샘플입니다."],
      ["table.hwpx", "hwpx", "개똥이"],
      ["tides.md", "markdown", "# Why tides turn"],
      ["harbour.txt", "text", "Dr. Ellis"],
    ] as const) {
      const result = await extract({ path: documentFixture(name) });
      expect(result).to.include({ format });
      expect(result).to.have.property("text").that.includes(words);
    }
    expect(await extract({ text: "Only a text." })).to.deep.include({ format: "text", words: 3, text: "Only a text." });
  });

  it("cuts the preview at the end of a sentence", async () => {
    expect(await extract({ path: documentFixture("harbour.en.docx"), previewCharacters: 100 })).to.have.property(
      "preview",
      "Harbour handbook\n\nThe harbour opens at six in the morning.",
    );
  });

  it("writes a large text to a file, whole, and only its beginning into the result", async () => {
    const outputPath = join(directory.path, "deep", "text.txt");
    const path = file("large.txt", "한 문장입니다. ".repeat(20_000));
    const result = await extract({ path, outputPath });
    const bytes = readFileSync(outputPath);
    expect(result).to.deep.include({
      artifact: { path: outputPath, sha256: createHash("sha256").update(bytes).digest("hex"), bytes: bytes.length },
      words: 40_000,
      paragraphs: 1,
    });
    expect(bytes.toString()).to.equal("한 문장입니다. ".repeat(20_000).trim());
    expect(result).to.not.have.property("text");
    expect(result).to.have.property("preview").that.has.lengthOf.within(400, 500);
    expect(readdirSync(join(directory.path, "deep"))).to.deep.equal(["text.txt"]);
  });

  it("writes a small text too where it is told to", async () => {
    const outputPath = join(directory.path, "small.txt");
    expect(await extract({ text: "Short.", outputPath })).to.deep.include({ text: "Short." });
    expect(readFileSync(outputPath, "utf8")).to.equal("Short.");
    const error = await rejectionOf(extract({ text: "Short.", outputPath: directory.path }));
    expect(error.code).to.equal("OUTPUT_IS_DIRECTORY");
  });

  it("refuses scans, truncated files, zip bombs and what is no document", async () => {
    expect(await refusal(file("scan.pdf", scannedPdf()))).to.equal("NO_TEXT");
    expect(
      await refusal(file("cut.pdf", readFileSync(documentFixture("harbour.en.pdf")).subarray(0, 20_000))),
    ).to.equal("INVALID_FILE");
    const bomb = repacked("harbour.en.docx", { "word/document.xml": Buffer.alloc(2 * MEBIBYTE, " ") });
    expect(await refusal(file("bomb.docx", bomb))).to.equal("INVALID_FILE");
    expect(await refusal(file("picture.pdf", readFileSync(documentFixture("picture.md"))))).to.equal("INVALID_FILE");
    expect(await refusal(join(directory.path, "missing.pdf"))).to.equal("FILE_NOT_FOUND");
    expect(await refusal(directory.path)).to.equal("NOT_A_FILE");
  });

  it("reads a file of 50 MiB and refuses a larger one", async () => {
    const path = join(directory.path, "large.docx");
    const size = 50 * MEBIBYTE;
    // A picture of zeros that nobody looks at fills the file, which stays sparse.
    const small = repacked("harbour.en.docx", { "word/media/image1.bmp": Buffer.alloc(1) }, 0);
    const grown = withGap(small, size);
    const handle = openSync(path, "w");
    writeSync(handle, grown.head, 0, grown.head.length, 0);
    writeSync(handle, grown.tail, 0, grown.tail.length, size - grown.tail.length);
    expect(await extract({ path })).to.include({ format: "docx", title: "Harbour handbook" });
    ftruncateSync(handle, size + 1);
    closeSync(handle);
    expect(await refusal(path)).to.equal("FILE_TOO_LARGE");
  });

  it("stops between pages, and leaves no file behind", async () => {
    const controller = new AbortController();
    const error = await rejectionOf(
      runHandler(
        documentExtract,
        { path: documentFixture("harbour.en.pdf"), outputPath: join(directory.path, "out.txt") },
        {
          signal: controller.signal,
          onProgress: ({ current }) => {
            if (current === 1) controller.abort(new Error("stop now"));
          },
        },
      ),
    );
    expect(error.message).to.equal("stop now");
    expect(readdirSync(directory.path)).to.deep.equal([]);
  });

  it("refuses payloads with no source, two, or unknown fields", async () => {
    for (const payload of [
      {},
      { path: "a", text: "b" },
      { path: "a\0b" },
      { text: "a", format: "pdf" },
      { text: "" },
    ]) {
      expect((await rejectionOf(extract(payload))).message).to.match(/^payload refused/);
    }
  });
});

/** The two parts of a zip archive that has a gap of zeros between its last file and its directory, `size` bytes in all. */
function withGap(zip: Buffer, size: number): { readonly head: Buffer; readonly tail: Buffer } {
  const start = zip.indexOf("PK\x01\x02");
  const tail = Buffer.from(zip.subarray(start));
  tail.writeUInt32LE(size - tail.length, tail.length - 6);
  return { head: zip.subarray(0, start), tail };
}
