import { createDecipheriv, createHash, randomBytes } from "node:crypto";
import { expect } from "chai";
import fc from "fast-check";
import { TaskwireError } from "#libs/errors/taskwire-error.js";
import { KeyRing, NO_KEYS } from "#libs/sealing/key-ring.js";
import { isSealed, isSealedText, SEAL_BYTES } from "#libs/sealing/sealed-form.js";
import { missingKeyOf } from "#libs/sealing/sealing-errors.js";

const KEY_A = new Uint8Array(32).fill(0xa1);
const KEY_B = new Uint8Array(32).fill(0xb2);
const idOf = (key: Uint8Array) => createHash("sha256").update(key).digest("hex").slice(0, 8);
const bytes = (text: string) => new TextEncoder().encode(text);

const ringA = new KeyRing({ current: KEY_A, old: [] });
const ringB = new KeyRing({ current: KEY_B, old: [] });
const ringBoth = new KeyRing({ current: KEY_B, old: [KEY_A] });
const plainRing = new KeyRing(NO_KEYS);

function thrownBy(job: () => unknown): TaskwireError {
  try {
    job();
  } catch (error) {
    if (error instanceof TaskwireError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

describe("KeyRing", () => {
  it("opens what it has sealed, byte for byte, in its context", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2000 }), fc.string(), (plain, context) => {
        const sealed = ringA.seal(plain, context);
        expect(isSealed(sealed)).to.equal(true);
        expect(sealed.length).to.equal(plain.length + SEAL_BYTES);
        expect([...ringA.open(sealed, context)]).to.deep.equal([...plain]);
      }),
    );
  });

  it("opens texts that it has sealed", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 500 }), (raw) => {
        const text = raw.toWellFormed();
        const sealed = ringA.sealText(text, "payload:1");
        expect(sealed).to.match(/^sealed:[A-Za-z0-9_-]+$/);
        expect(ringA.openText(sealed, "payload:1")).to.equal(text);
      }),
    );
  });

  it("writes AES-256-GCM with the context as its additional data, as documented", () => {
    const sealed = Buffer.from(ringA.seal(bytes("plain"), "event:7"));
    expect(sealed.subarray(0, 2).toString("hex")).to.equal("e101");
    expect(sealed.subarray(2, 6).toString("hex")).to.equal(idOf(KEY_A));
    const decipher = createDecipheriv("aes-256-gcm", KEY_A, sealed.subarray(6, 18), { authTagLength: 16 });
    decipher.setAAD(Buffer.from("event:7"));
    decipher.setAuthTag(sealed.subarray(-16));
    expect(decipher.update(sealed.subarray(18, -16)).toString() + decipher.final().toString()).to.equal("plain");
  });

  it("uses no nonce twice, beyond the batches they are drawn in", () => {
    const nonces = new Set<string>();
    for (let round = 0; round < 5000; round += 1)
      nonces.add(Buffer.from(ringA.seal(new Uint8Array(), "x")).toString("hex", 6, 18));
    expect(nonces.size).to.equal(5000);
  });

  it("opens with an old key and seals with the current one (rotation)", () => {
    const before = ringA.sealText("{}", "payload:1");
    expect(ringBoth.openText(before, "payload:1")).to.equal("{}");
    expect(ringB.openText(ringBoth.sealText("{}", "payload:1"), "payload:1")).to.equal("{}");
    expect(ringBoth.currentId).to.equal(idOf(KEY_B));
    expect(ringBoth.keyIds).to.have.members([idOf(KEY_A), idOf(KEY_B)]);
  });

  it("refuses what is sealed with another key, naming its id and never a key", () => {
    const sealed = ringA.seal(bytes("plain"), "dispatch");
    for (const ring of [ringB, plainRing]) {
      const error = thrownBy(() => ring.open(sealed, "dispatch"));
      expect(error).to.include({ code: "FAILED_PRECONDITION", reason: "KEY_MISSING" });
      expect(error.message).to.contain(idOf(KEY_A)).and.to.contain("ENCRYPTION_OLD_KEYS");
      expect(error.message).not.to.contain(Buffer.from(KEY_A).toString("hex").slice(0, 16));
      expect(missingKeyOf(error)).to.equal(idOf(KEY_A));
    }
  });

  it("refuses what is not where it belongs", () => {
    const sealed = ringA.sealText('{"card":"4111"}', "payload:1");
    const error = thrownBy(() => ringA.openText(sealed, "payload:2"));
    expect(error).to.include({ code: "DATA_LOSS", reason: "SEAL_BROKEN" });
    expect(missingKeyOf(error)).to.equal(undefined);
  });

  it("refuses every altered byte, every cut, and other versions", () => {
    const sealed = ringA.seal(bytes("plain text"), "dispatch");
    for (let at = 1; at < sealed.length; at += 1) {
      const altered = Uint8Array.from(sealed);
      altered[at] = (altered[at] ?? 0) ^ 1;
      const isKeyId = at >= 2 && at < 6;
      expect(thrownBy(() => ringA.open(altered, "dispatch")).reason, `byte ${at}`).to.equal(
        isKeyId ? "KEY_MISSING" : "SEAL_BROKEN",
      );
    }
    for (let length = 1; length < sealed.length; length += 1)
      expect(thrownBy(() => ringA.open(sealed.subarray(0, length), "dispatch")).reason).to.equal("SEAL_BROKEN");
  });

  it("hands plain values through, so that it can be switched on over what is there", () => {
    const plain = Uint8Array.of(0x08, 1, 2);
    expect(ringA.open(plain, "event:1")).to.equal(plain);
    expect(ringA.open(new Uint8Array(), "event:1")).to.have.length(0);
    expect(ringA.openText("", "payload:1")).to.equal("");
    expect(ringA.openText('{"sealed:":1}', "payload:1")).to.equal('{"sealed:":1}');
  });

  it("leaves everything plain without a current key, and still opens with the old ones", () => {
    const offRing = new KeyRing({ current: null, old: [KEY_A] });
    expect(offRing.sealText("{}", "payload:1")).to.equal("{}");
    expect(offRing.openText(ringA.sealText("{}", "payload:1"), "payload:1")).to.equal("{}");
    expect(offRing.currentId).to.equal(undefined);
    const plain = randomBytes(20);
    expect(plainRing.seal(plain, "x")).to.equal(plain);
  });

  it("takes no JSON text and no message of ours for a sealed value", () => {
    fc.assert(fc.property(fc.json(), (json) => !isSealedText(json)));
    // Field 1 of TaskEvent, DispatchTask and ReportBatch.
    for (const first of [0x08, 0x0a]) expect(isSealed(Uint8Array.of(first))).to.equal(false);
  });
});

describe("KeyRing: marks", () => {
  it("are recognised under the key they were made with, also after a rotation", () => {
    const mark = ringA.mark("hash");
    expect(mark).to.match(new RegExp(`^${idOf(KEY_A)}\\.[A-Za-z0-9_-]{22}$`));
    expect(ringA.isMarkOf(mark, "hash")).to.equal(true);
    expect(ringBoth.isMarkOf(mark, "hash")).to.equal(true);
    expect(ringBoth.isMarkOf(mark, "other")).to.equal(false);
    expect(ringBoth.mark("hash")).not.to.equal(mark);
    expect(thrownBy(() => ringB.isMarkOf(mark, "hash")).reason).to.equal("KEY_MISSING");
  });

  it("are the text itself without a key, and such ones are still recognised with one", () => {
    expect(plainRing.mark("hash")).to.equal("hash");
    expect(ringA.isMarkOf("hash", "hash")).to.equal(true);
    expect(ringA.isMarkOf("hash", "other")).to.equal(false);
    expect(ringA.isMarkOf(null, "hash")).to.equal(false);
    expect(ringA.mark(null)).to.equal(null);
    expect(ringA.isMarkOf(null, null)).to.equal(true);
  });
});
