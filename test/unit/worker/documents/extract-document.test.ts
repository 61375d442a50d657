import { readFileSync } from "node:fs";
import { expect } from "chai";
import { PermanentError } from "#libs/define-task/define-task.js";
import { documentFixture } from "#test/support/document-fixture.js";
import { documentLimits, patched, repacked, scannedPdf } from "#test/support/made-documents.js";
import { rejectionOf } from "#test/support/rejection-of.js";
import type { DocumentLimits } from "#worker/documents/document-settings.js";
import { extractDocument, type ExtractedDocument } from "#worker/documents/extract-document.js";
import { readHwp } from "#worker/documents/read-hwp.js";
import { readHwpx } from "#worker/documents/read-hwpx.js";
import { readPdf } from "#worker/documents/read-pdf.js";

describe("extractDocument", () => {
  interface Given {
    readonly name?: string;
    readonly contentType?: string;
    readonly limits?: Partial<DocumentLimits>;
  }
  const sample = (name: string) => readFileSync(documentFixture(name));
  const extract = (bytes: Buffer, { limits, ...about }: Given = {}): Promise<ExtractedDocument> =>
    extractDocument(bytes, { ...about, signal: new AbortController().signal, limits: documentLimits(limits) });
  const refused = async (bytes: Buffer, reason: string, about?: Given): Promise<string> => {
    const error = await rejectionOf(extract(bytes, about));
    expect(error).to.be.instanceOf(PermanentError).and.deep.include({ code: "INVALID_FILE" });
    expect(error).to.have.nested.property("details.reason", reason);
    return error.message;
  };

  describe("takes the text of", () => {
    it("a PDF, page by page", async () => {
      const { text, ...about } = await extract(sample("harbour.en.pdf"), { name: "harbour.en.pdf" });
      expect(about).to.deep.equal({ format: "pdf", title: "Harbour handbook", pages: 2 });
      expect(text).to.match(/^Harbour handbook\nThe harbour opens at six in the morning\./);
      expect(text).to.include("Berth Depth\nOne 4.5 m").and.include("\n\nThe second page names the people on duty.");
    });

    it("a Korean PDF, and one made by another program", async () => {
      const { text, title } = await extract(sample("harbour.ko.pdf"));
      expect(title).to.equal("항구 안내서");
      expect(text)
        .to.include("모든 배는 방파제를 지나기 전에 무선으로 알립니다.")
        .and.include("이바다는 등대를 돌봅니다.");
      expect(await extract(sample("two-pages.word.pdf"))).to.deep.equal({
        format: "pdf",
        title: "Microsoft Word - Document1",
        pages: 2,
        text: "This is my first page with normal layout.\nThis is the second line on the page.\n\nThis is my second page. It will have a landscape layout.\nSecond line here.",
      });
    });

    it("a DOCX, English and Korean, with its tables", async () => {
      const english = await extract(sample("harbour.en.docx"));
      expect(english).to.include({ format: "docx", title: "Harbour handbook" });
      expect(english.text).to.include("Berth\n\nDepth\n\nOne\n\n4.5 m").and.include("Keep the channel free.");
      const korean = await extract(sample("harbour.ko.docx"));
      expect(korean.text).to.include("첫째 부두는 어선이 씁니다.").and.include("둘째\n\n7.2 m");
      expect(await extract(sample("table.word.docx"))).to.deep.equal({
        format: "docx",
        text: "Above\n\nTop left\n\nTop right\n\nBottom left\n\nBottom right\n\nBelow",
      });
    });

    it("an HWP 5 document, with the cells of its tables", async () => {
      expect(await extract(sample("greeting.hwp"), { name: "greeting.hwp" })).to.deep.equal({
        format: "hwp",
        title: "안녕하세요",
        text: "안녕하세요.\n\n이것은 샘플입니다.",
      });
      expect(await extract(sample("paragraphs.hwp"))).to.deep.equal({
        format: "hwp",
        text: "첫 문단...\n\n이것은 원본 HWP 파일의 내용입니다.\n\nABC\n\n123",
      });
      const cells = (await extract(sample("cells.hwp"))).text.split("\n\n");
      expect(cells).to.have.lengthOf(49).and.include.members(["0,0", "3,4", "6,6"]);
    });

    it("an HWPX document, with tables and boxes where they are anchored, without what was deleted", async () => {
      const table = await extract(sample("table.hwpx"), { name: "성적.HWPX" });
      expect(table).to.include({ format: "hwpx", title: "제목" });
      expect(table.text).to.match(/^C반 기말고사\n\n날짜\n\n이름\n\n국어\n\n영어\n\n수학\n\n개똥이\n\n89/);
      const boxes = (await extract(sample("boxes.hwpx"))).text;
      expect(boxes).to.match(
        /^Start\. .*\n\n사각 .*\n\n오각형이 아니에요\n\n이것은 .*\n\n2번째 사각형\n\n이것은 본문 텍스트입니다\. End$/,
      );
      expect((await extract(sample("tracked.hwpx"))).text).to.equal("변경 \t인간은");
      expect((await extract(sample("english.hwpx"))).text).to.match(/^Hwpx Test File\n\n/);
    });

    it("text files in UTF-8 and UTF-16", async () => {
      expect(await extract(sample("tides.ko.md"), { name: "tides.ko.md" })).to.include({ format: "markdown" });
      expect(await extract(Buffer.from("\uFEFFone\r\n\r\n\r\n\r\ntwo  \n"), { name: "notes" })).to.deep.equal({
        format: "text",
        text: "one\n\ntwo",
      });
      for (const [mark, swap] of [
        ["\xFF\xFE", false],
        ["\xFE\xFF", true],
      ] as const) {
        const body = Buffer.from("두 글자", "utf16le");
        const bytes = Buffer.concat([Buffer.from(mark, "latin1"), swap ? body.swap16() : body]);
        expect(await extract(bytes)).to.deep.equal({ format: "text", text: "두 글자" });
      }
      expect(await extract(Buffer.from("a"))).to.include({ text: "a" });
      expect(await extract(Buffer.from("# A"), { contentType: "text/markdown; charset=utf-8" })).to.include({
        format: "markdown",
      });
    });
  });

  describe("tells the format by the content", () => {
    it("whatever the name does not say", async () => {
      for (const name of ["harbour.en.pdf", "harbour.en.docx", "greeting.hwp", "table.hwpx"]) {
        expect((await extract(sample(name), { name: "upload.bin" })).format).to.equal(name.split(".").at(-1));
      }
    });

    it("and refuses a file that is not what it is called", async () => {
      expect(await refused(sample("harbour.en.docx"), "mismatch", { name: "cv.pdf" })).to.equal(
        "the file is a DOCX document, not a PDF as it is called",
      );
      await refused(sample("harbour.en.pdf"), "mismatch", { name: "notes.txt" });
      await refused(sample("table.hwpx"), "mismatch", { name: "table.hwp" });
      await refused(Buffer.from("just text"), "mismatch", { name: "cv.docx" });
      await refused(sample("greeting.hwp"), "mismatch", { contentType: "application/pdf" });
    });

    it("and refuses what it cannot read", async () => {
      await refused(Buffer.alloc(0), "empty");
      expect(await refused(Buffer.from("\x89PNG\r\n\x1a\n", "latin1"), "unsupported")).to.include("a PNG picture");
      expect(await refused(Buffer.from("HWP Document File V3.00 \x1a"), "unsupported")).to.include("version 3");
      await refused(Buffer.from("{\\rtf1 text}"), "unsupported");
      await refused(Buffer.from("caf\xe9", "latin1"), "unsupported");
      await refused(Buffer.from("a\0b"), "unsupported");
      await refused(repacked("harbour.en.docx", {}).subarray(0, 40), "truncated");
      const compound = Buffer.alloc(1024);
      compound.set(Buffer.from("D0CF11E0A1B11AE1", "hex"));
      await refused(compound, "unsupported");
      compound.set(Buffer.from("EncryptedPackage", "utf16le"), 600);
      await refused(compound, "encrypted", { name: "locked.docx" });
    });
  });

  it("refuses truncated files of every format", async () => {
    for (const name of ["harbour.en.pdf", "harbour.ko.docx", "paragraphs.hwp", "table.hwpx"]) {
      const bytes = sample(name);
      for (const share of [0.3, 0.6, 0.9]) {
        await refused(bytes.subarray(0, Math.floor(bytes.length * share)), "truncated", { name });
      }
    }
  });

  it("refuses damaged files", async () => {
    const xml = "word/document.xml";
    await refused(repacked("harbour.en.docx", { [xml]: "<w:document><w:body>" }), "damaged");
    await refused(repacked("table.hwpx", { "Contents/section0.xml": "<hs:sec><hp:p></hs:sec>" }), "damaged");
    const stored = repacked("harbour.en.docx", {}, 0);
    const inside = stored.indexOf("The harbour opens");
    await refused(patched(stored, inside, Buffer.from("Tha")), "damaged");
    const pdf = sample("harbour.en.pdf");
    await refused(Buffer.concat([Buffer.from("%PDF-1.7\n"), Buffer.alloc(2000, "x"), pdf.subarray(-6)]), "damaged");
  });

  it("refuses documents that are locked", async () => {
    expect(await refused(sample("locked.pdf"), "encrypted")).to.equal("the PDF is protected by a password");
    expect(await refused(sample("distribution.hwp"), "encrypted")).to.include("locked for distribution");
    const hwp = sample("paragraphs.hwp");
    const flags = hwp.indexOf("HWP Document File") + 36;
    await refused(patched(hwp, flags, [0x03]), "encrypted");
    const manifest = `<odf:manifest><odf:file-entry><odf:encryption-data/></odf:file-entry></odf:manifest>`;
    await refused(repacked("table.hwpx", { "META-INF/manifest.xml": manifest }), "encrypted");
  });

  it("says NO_TEXT of a scan and of documents without any", async () => {
    const scan = await rejectionOf(extract(scannedPdf(), { name: "scan.pdf" }));
    expect(scan).to.be.instanceOf(PermanentError).and.deep.include({ code: "NO_TEXT" });
    expect(scan.message).to.equal(
      "the PDF has a page but no text: it is probably a scan and needs character recognition (OCR) first",
    );
    for (const bytes of [sample("header-only.hwpx"), Buffer.from(" \n\t")]) {
      expect((await rejectionOf(extract(bytes))).code).to.equal("NO_TEXT");
    }
  });

  it("bounds pages and text", async () => {
    await refused(sample("harbour.en.pdf"), "too_many_pages", { limits: { documentPages: 1 } });
    for (const name of ["harbour.en.pdf", "harbour.en.docx", "tides.md"]) {
      await refused(sample(name), "too_much_text", { limits: { documentCharacters: 100 } });
    }
  });

  it("hears a signal that fires right after it began to read", async () => {
    for (const [name, read] of [
      ["paragraphs.hwp", readHwp],
      ["english.hwpx", readHwpx],
      ["harbour.en.pdf", readPdf],
    ] as const) {
      const controller = new AbortController();
      setImmediate(() => {
        controller.abort(new Error("stop now"));
      });
      const reading = read(sample(name), { signal: controller.signal, limits: documentLimits() });
      expect((await rejectionOf(reading)).message, name).to.equal("stop now");
    }
  });

  it("stops between pages when told", async () => {
    const controller = new AbortController();
    const pages: number[] = [];
    const error = await rejectionOf(
      extractDocument(sample("harbour.en.pdf"), {
        signal: controller.signal,
        limits: documentLimits(),
        onPage: (page) => {
          pages.push(page);
          controller.abort(new Error("stop now"));
        },
      }),
    );
    expect(error.message).to.equal("stop now");
    expect(pages).to.deep.equal([1]);
  });

  it("does not start when told before", async () => {
    const signal = AbortSignal.abort(new Error("too late"));
    for (const name of ["tides.md", "table.hwpx"]) {
      const error = await rejectionOf(extractDocument(sample(name), { signal, limits: documentLimits() }));
      expect(error.message).to.equal("too late");
    }
  });
});
