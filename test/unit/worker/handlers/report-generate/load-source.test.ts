import { expect } from "chai";
import { documentFixture } from "#test/support/document-fixture.js";
import { rejectionOf } from "#test/support/rejection-of.js";
import { loadSource } from "#worker/handlers/report-generate/load-source.js";

describe("loadSource", () => {
  const { signal } = new AbortController();

  for (const [file, words] of [
    ["harbour.en.pdf", "harbour"],
    ["harbour.ko.docx", "항구"],
    ["paragraphs.hwp", ""],
    ["english.hwpx", ""],
  ] as const) {
    it(`takes the text out of ${file}`, async () => {
      const { text, format, fileName } = await loadSource({ path: documentFixture(file) }, signal);
      expect(format).to.equal("plain");
      expect(fileName).to.equal(file);
      expect(text)
        .to.match(/\p{L}{2}/u)
        .and.include(words);
    });
  }

  it("takes a file as text when its format says so", async () => {
    const error = await rejectionOf(loadSource({ path: documentFixture("harbour.en.pdf"), format: "plain" }, signal));
    expect(error).to.have.property("code", "NOT_TEXT");
  });

  it("tells what cannot be read, for good", async () => {
    const error = await rejectionOf(loadSource({ path: documentFixture("locked.pdf") }, signal));
    expect(error).to.include({ name: "PermanentError", code: "INVALID_FILE" });
  });
});
