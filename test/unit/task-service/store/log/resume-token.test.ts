import { expect } from "chai";
import fc from "fast-check";
import { makeResumeToken, readResumeToken } from "#task-service/store/log/resume-token.js";

const fingerprint = fc.stringMatching(/^[\w-]{16}$/);
const cursor = fc.record({ revision: fc.maxSafeNat(), snapshotId: fc.option(fc.uuid()) });

describe("A resume token", () => {
  it("is read as it was made, for its own filter only", () => {
    fc.assert(
      fc.property(fingerprint, fingerprint, cursor, (own, other, at) => {
        const token = makeResumeToken(own, at);
        expect(readResumeToken(token, own)).to.deep.equal(at);
        if (own !== other) expect(readResumeToken(token, other)).to.equal(undefined);
      }),
    );
  });

  it("is nothing else", () => {
    const own = "0123456789abcdef";
    for (const token of [
      "",
      "1",
      `-1.${own}`,
      `1.${own}.`,
      `1.${own}.x`,
      `99999999999999999.${own}`,
      ` 1.${own}`,
      `1.${own}\n`,
    ])
      expect(readResumeToken(token, own), token).to.equal(undefined);
    fc.assert(
      fc.property(fc.string(), (token) => {
        expect(readResumeToken(token, own)).to.equal(undefined);
      }),
    );
  });
});
