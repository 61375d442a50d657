import { expect } from "chai";
import fc from "fast-check";
import { filterFingerprint, makePageToken, readPageToken } from "#task-service/rpc/page-token.js";
import { filterOf } from "#test/support/filter-of.js";

const cursor = { id: "0199aaaa-0000-7000-8000-000000000001", updateTimeMs: 1_763_000_000_000, key: 12 };
const fingerprint = filterFingerprint(filterOf("type = a"), "id");

describe("page tokens", () => {
  it("give their cursor back for the same filter and order only", () => {
    const token = makePageToken(fingerprint, cursor);
    expect(token).to.match(/^[A-Za-z0-9_-]+$/);
    expect(readPageToken(token, fingerprint)).to.deep.equal(cursor);
    const others: [string, string][] = [
      ["type = b", "id"],
      ["type = a", "id desc"],
      ["type = a AND queue = default", "id"],
      ["NOT type = a", "id"],
      ['type = "a*"', "id"],
      ["", "id"],
    ];
    for (const [filter, order] of others) {
      expect(readPageToken(token, filterFingerprint(filterOf(filter), order))).to.equal(undefined);
    }
  });

  it("take filters that say the same in the same order for the same", () => {
    const same = ["type = a AND priority != 3", " (type='a') -priority=3", 'type = "a" ((NOT (priority = 3)))'];
    const [first, ...others] = same.map((filter) => filterFingerprint(filterOf(filter), "id"));
    for (const other of others) expect(other).to.equal(first);
    expect(filterFingerprint(filterOf("  "), "id")).to.equal(filterFingerprint(null, "id"));
  });

  it("are refused when made up, damaged or cut", () => {
    const token = makePageToken(fingerprint, cursor);
    fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => readPageToken(text, fingerprint) === undefined));
    fc.assert(
      fc.property(fc.nat(token.length - 1), fc.constantFrom("A", "z", "!", ""), (at, letter) => {
        const damaged = token.slice(0, at) + letter + token.slice(at + 1);
        return damaged === token || readPageToken(damaged, fingerprint) === undefined;
      }),
    );
    for (const text of [`${token}!`, `${token}=`, `${token} `, `${token}A`, token.slice(1)]) {
      expect(readPageToken(text, fingerprint), text).to.equal(undefined);
    }
  });
});
