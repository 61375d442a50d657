import { readFileSync } from "node:fs";
import { expect } from "chai";
import fc from "fast-check";
import { documentFixture } from "#test/support/document-fixture.js";
import { documentLimits } from "#test/support/made-documents.js";
import { extractDocument } from "#worker/documents/extract-document.js";

describe("damaged documents", () => {
  for (const [name, numRuns] of [
    ["cells.hwp", 60],
    ["table.hwpx", 40],
    ["table.word.docx", 25],
    ["two-pages.word.pdf", 25],
  ] as const) {
    it(`never fail otherwise than by INVALID_FILE or NO_TEXT: ${name} (property)`, async () => {
      const sample = readFileSync(documentFixture(name));
      const position = fc.oneof(fc.nat({ max: 600 }), fc.nat({ max: sample.length - 1 }));
      const damage = fc.array(fc.tuple(position, fc.nat({ max: 255 })), { minLength: 1, maxLength: 20 });
      await fc.assert(
        fc.asyncProperty(damage, fc.integer({ min: 1, max: sample.length * 3 }), async (changes, length) => {
          const bytes = Buffer.from(sample.subarray(0, length));
          for (const [offset, value] of changes) if (offset < bytes.length) bytes[offset] = value;
          try {
            await extractDocument(bytes, { signal: new AbortController().signal, limits: documentLimits() });
          } catch (error) {
            expect(error).to.have.property("code").that.is.oneOf(["INVALID_FILE", "NO_TEXT"]);
          }
        }),
        { numRuns },
      );
    });
  }
});
