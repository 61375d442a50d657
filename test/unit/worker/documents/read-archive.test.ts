import { readFileSync } from "node:fs";
import { expect } from "chai";
import { zipSync } from "fflate";
import { documentFixture } from "#test/support/document-fixture.js";
import { documentLimits, patched, repacked } from "#test/support/made-documents.js";
import { rejectionOf } from "#test/support/rejection-of.js";
import type { DocumentLimits } from "#worker/documents/document-settings.js";
import { extractDocument } from "#worker/documents/extract-document.js";
import { readArchive } from "#worker/documents/read-archive.js";

const MEBIBYTE = 1024 * 1024;

describe("readArchive", () => {
  const read = (bytes: Buffer, limits: Partial<DocumentLimits> = {}, maxBytes = 2 * MEBIBYTE) =>
    readArchive(bytes, {
      signal: new AbortController().signal,
      limits: documentLimits(limits),
      maxBytes,
      wanted: (name) => name.endsWith(".xml"),
    });
  const refusal = async (reading: Promise<unknown>): Promise<[unknown, string]> => {
    const error = await rejectionOf(reading);
    expect(error.code).to.equal("INVALID_FILE");
    return [Reflect.get(Object(Reflect.get(error, "details")), "reason"), error.message];
  };
  const zip = (files: Readonly<Record<string, Uint8Array>>): Buffer => Buffer.from(zipSync(files, { level: 6 }));

  it("unpacks what is wanted and does not look into the rest", async () => {
    const files = await read(zip({ "a.xml": Buffer.from("<a/>"), "b.bin": new Uint8Array(3 * MEBIBYTE) }));
    expect([...files]).to.deep.equal([["a.xml", Buffer.from("<a/>")]]);
  });

  it("refuses what unpacks to more than its limit, in one file or in all together", async () => {
    const noise = Uint8Array.from({ length: 500_000 }, (_, index) => (index * 7919) % 251);
    const files = Object.fromEntries([1, 2, 3, 4, 5].map((number) => [`${number}.xml`, noise]));
    const expected = ["archive_limit", "the document unpacks to more than 2097152 bytes"];
    expect(await refusal(read(zip(files)))).to.deep.equal(expected);
    expect(
      await refusal(read(zip({ "a.xml": Buffer.alloc(2.5 * MEBIBYTE, "ab") }), { documentUnpackRatio: 1032 })),
    ).to.deep.equal(expected);
  });

  it("refuses a file that is packed too tightly", async () => {
    const bomb = zip({ "a.xml": Buffer.alloc(1.5 * MEBIBYTE, " ") });
    expect(bomb.length).to.be.below(4096);
    expect(await refusal(read(bomb))).to.deep.equal([
      "archive_limit",
      "a part of the document unpacks to more than 200 times its size",
    ]);
  });

  it("counts what it unpacks, whatever the headers say", async () => {
    const bomb = zip({ "a.xml": Buffer.alloc(1.5 * MEBIBYTE, " ") });
    const local = patched(bomb, 22, [100, 0, 0, 0]);
    const directory = bomb.indexOf("PK\x01\x02");
    const [reason] = await refusal(read(patched(local, directory + 24, [100, 0, 0, 0])));
    expect(reason).to.equal("damaged");
  });

  it("refuses too many files", async () => {
    const files = Object.fromEntries(Array.from({ length: 11 }, (_, index) => [`${index}.bin`, new Uint8Array(1)]));
    expect(await refusal(read(zip(files), { documentEntries: 10 }))).to.deep.equal([
      "archive_limit",
      "the archive has 11 files; at most 10 are allowed",
    ]);
  });

  it("refuses archives protected by a password, and names out of the archive", async () => {
    const locked = zip({ "a.xml": Buffer.from("secret") });
    const directory = locked.indexOf("PK\x01\x02");
    expect((await refusal(read(patched(patched(locked, 6, [1, 0]), directory + 8, [1, 0]))))[0]).to.equal("encrypted");
    expect((await refusal(read(zip({ "../a.xml": Buffer.from("x") }))))[0]).to.equal("damaged");
  });

  it("keeps a DOCX and an HWPX within their limits before their readers see them", async () => {
    const options = { signal: new AbortController().signal, limits: documentLimits() };
    for (const [fixture, name] of [
      ["harbour.en.docx", "word/document.xml"],
      ["table.hwpx", "Contents/section1.xml"],
    ] as const) {
      const bomb = repacked(fixture, { [name]: Buffer.alloc(2 * MEBIBYTE, " ") });
      expect(bomb.length).to.be.below(readFileSync(documentFixture(fixture)).length + 20_000);
      expect((await refusal(extractDocument(bomb, options)))[0]).to.equal("archive_limit");
    }
  });

  it("bounds what an HWP document unpacks to", async () => {
    const limits = documentLimits({ documentUnpackedBytes: 1024 });
    const bytes = readFileSync(documentFixture("cells.hwp"));
    const reading = extractDocument(bytes, { signal: new AbortController().signal, limits });
    expect(await refusal(reading)).to.deep.equal(["archive_limit", "the document unpacks to more than 1024 bytes"]);
  });
});
