import { expect } from "chai";
import { deriveKeys } from "#libs/sealing/derive-keys.js";

const hex = (bytes: Uint8Array | null | undefined) => Buffer.from(bytes ?? []).toString("hex");

describe("deriveKeys", () => {
  it("is HKDF-SHA256 (RFC 5869, test case 3: no salt, no info)", () => {
    const { current } = deriveKeys({ current: new Uint8Array(22).fill(0x0b), old: [] }, "");
    expect(hex(current)).to.equal("8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d");
  });

  it("gives each purpose keys of its own, and keeps old keys old", () => {
    const [a, b] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)];
    const one = deriveKeys({ current: a, old: [b] }, "one");
    const other = deriveKeys({ current: b, old: [a] }, "other");
    expect(new Set([one.current, one.old[0], other.current, other.old[0]].map(hex))).to.have.property("size", 4);
    expect(hex(deriveKeys({ current: null, old: [b] }, "one").old[0])).to.equal(hex(one.old[0]));
    expect(deriveKeys({ current: null, old: [] }, "one")).to.deep.equal({ current: null, old: [] });
  });
});
