import { createHash } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { z } from "zod";
import { documentFixture } from "#test/support/document-fixture.js";
import { freshDirectory } from "#test/support/fresh-directory.js";
import { rejectionOf } from "#test/support/rejection-of.js";
import { runHandler } from "#test/support/run-handler.js";
import documentChunk from "#worker/handlers/document-chunk.js";

const chunk = z.object({ index: z.number(), start: z.number(), end: z.number(), text: z.string() });
const resultSchema = z.object({ count: z.number(), chunks: z.array(chunk) });

describe("document.chunk", () => {
  let directory: ReturnType<typeof freshDirectory>;

  beforeEach(() => {
    directory = freshDirectory();
  });

  afterEach(() => directory.remove());

  const run = async (payload: object): Promise<unknown> => (await runHandler(documentChunk, payload)).result;
  const english = "The harbour opens at six in the morning. ".repeat(200);
  const korean = "항구는 아침 여섯 시에 열립니다. ".repeat(300);

  it("cuts by the limits of each kind, and of Korean sections", async () => {
    for (const [text, kind, maxCharacters, overlapCharacters] of [
      [english, "section", 1500, 300],
      [english, "structured", 2000, 0],
      [english, "full_text", 8000, 0],
      [korean, "section", 2000, 500],
      [korean, "structured", 2000, 0],
    ] as const) {
      const result = await run({ text, kind });
      expect(result).to.deep.include({ kind, maxCharacters, overlapCharacters, characters: text.length });
      const { chunks, count } = resultSchema.parse(result);
      expect(chunks).to.have.lengthOf(count);
      expect(chunks.at(-1)).to.have.property("end", text.length);
      for (const [index, { text: piece, start, end }] of chunks.entries()) {
        expect(piece).to.have.lengthOf.within(1, maxCharacters).and.match(/\. $/);
        expect(text.slice(start, end)).to.equal(piece);
        const before = chunks[index - 1];
        if (before === undefined) continue;
        // Whole sentences of the one before: less than one sentence below the limit.
        expect(before.end - start).to.be.within(Math.max(0, overlapCharacters - 42), overlapCharacters);
      }
    }
  });

  it("cuts the text of a file by limits of the payload", async () => {
    const payload = { path: documentFixture("harbour.ko.docx"), maxCharacters: 100, overlapCharacters: 40 };
    const result = await run(payload);
    expect(result).to.deep.include({ format: "docx", koreanShare: 0.987, maxCharacters: 100, overlapCharacters: 40 });
    const { chunks } = resultSchema.parse(result);
    expect(chunks[0]?.text).to.match(/^항구 안내서\n\n항구는 .*않습니다\.\n\n부두\n\n첫째 부두는 어선이 씁니다\. $/);
    expect(chunks[1]?.text).to.match(/^부두\n\n첫째 부두는 어선이 씁니다\. 둘째 /);
  });

  it("takes half a chunk as the longest overlap", async () => {
    expect(await run({ text: "One.", maxCharacters: 100 })).to.include({ overlapCharacters: 50 });
    const error = await rejectionOf(run({ text: "One.", maxCharacters: 100, overlapCharacters: 51 }));
    expect(error.code).to.equal("OVERLAP_TOO_LARGE");
  });

  it("gives no chunk for an empty text", async () => {
    expect(await run({ text: "" })).to.deep.include({ count: 0, chunks: [], characters: 0, koreanShare: 0 });
  });

  it("writes many chunks to a file, whole, and the first ones into the result", async () => {
    const outputPath = join(directory.path, "chunks.jsonl");
    const text = english.repeat(25);
    const result = await run({ text, outputPath });
    const bytes = readFileSync(outputPath);
    expect(result).to.deep.include({
      artifact: { path: outputPath, sha256: createHash("sha256").update(bytes).digest("hex"), bytes: bytes.length },
    });
    const { chunks, count } = resultSchema.parse(result);
    const written = bytes
      .toString()
      .trim()
      .split("\n")
      .map((line) => chunk.parse(JSON.parse(line)));
    expect(written).to.have.lengthOf(count).and.have.lengthOf.above(chunks.length);
    expect(written.slice(0, chunks.length)).to.deep.equal(chunks);
    expect(Buffer.byteLength(JSON.stringify(chunks))).to.be.within(120_000, 128 * 1024);
    expect(written.at(-1)?.end).to.equal(text.length);
  });

  it("stops while it cuts, and leaves no file behind", async () => {
    const controller = new AbortController();
    const error = await rejectionOf(
      runHandler(
        documentChunk,
        { text: english.repeat(25), maxCharacters: 100, outputPath: join(directory.path, "chunks.jsonl") },
        {
          signal: controller.signal,
          onProgress: ({ fraction, message }) => {
            if (message === "cutting" && fraction !== undefined && fraction > 0.5)
              controller.abort(new Error("stop now"));
          },
        },
      ),
    );
    expect(error.message).to.equal("stop now");
    expect(readdirSync(directory.path)).to.deep.equal([]);
  });

  it("refuses payloads with no source, two, unknown kinds and limits", async () => {
    for (const payload of [
      {},
      { path: "a", text: "b" },
      { text: "a", kind: "page" },
      { text: "a", maxCharacters: 99 },
      { text: "a", overlapCharacters: -1 },
      { text: "a", language: "no language" },
    ]) {
      expect((await rejectionOf(run(payload))).message).to.match(/^payload refused/);
    }
  });
});
