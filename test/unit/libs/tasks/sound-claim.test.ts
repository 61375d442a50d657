import { expect } from "chai";
import type { Claim, ClaimKind } from "#libs/tasks/claim.js";
import { MAX_JSON_BYTES, MAX_RETRY_DELAY_MS } from "#libs/tasks/limits.js";
import { soundClaim } from "#libs/tasks/sound-claim.js";

function claimOf(kind: ClaimKind | undefined): Claim {
  return { taskId: "t", attempt: 1, number: 2, kind };
}

function kindOf(kind: ClaimKind): ClaimKind | undefined {
  return soundClaim(claimOf(kind)).kind;
}

const error = { code: "E", message: "m", retryable: true, detailsJson: "" };

describe("soundClaim", () => {
  it("gives sound claims back as they are", () => {
    const kinds: (ClaimKind | undefined)[] = [
      undefined,
      { $case: "progress", value: { fraction: 1, message: "" } },
      { $case: "log", value: { level: 2, message: "", fieldsJson: '{"a":1}', capped: false } },
      { $case: "succeeded", value: { resultJson: "null", warnings: [error] } },
      { $case: "failed", value: { error, retryAfterMs: 0 } },
      { $case: "failed", value: {} },
      { $case: "released", value: { reason: "", retryAfterMs: 5, code: "" } },
      { $case: "cancelDelivered", value: {} },
    ];
    for (const claim of kinds.map(claimOf)) expect(soundClaim(claim)).to.equal(claim);
  });

  it("fails an attempt whose result is no JSON or exceeds its bounds", () => {
    const deep = "[".repeat(31) + "]".repeat(31);
    for (const resultJson of ["", "{broken", `"${"x".repeat(MAX_JSON_BYTES)}"`, deep]) {
      const sound = kindOf({ $case: "succeeded", value: { resultJson, warnings: [] } });
      if (sound?.$case !== "failed") throw new Error(`accepted ${resultJson.slice(0, 40)}`);
      expect(sound.value.error).to.include({ code: "RESULT_REJECTED", retryable: false });
    }
  });

  it("drops details and fields that are no JSON object", () => {
    for (const broken of ["{", "[]", "null", "7"]) {
      const bad = { ...error, detailsJson: broken };
      expect(kindOf({ $case: "failed", value: { error: bad } })).to.deep.nested.include({ "value.error": error });
      expect(kindOf({ $case: "succeeded", value: { resultJson: "1", warnings: [bad] } })).to.deep.nested.include({
        "value.warnings": [error],
      });
      const log = { level: 1, message: "kept", fieldsJson: broken, capped: true };
      expect(kindOf({ $case: "log", value: log })).to.deep.nested.include({ value: { ...log, fieldsJson: "" } });
    }
  });

  it("brings delays and fractions into their ranges", () => {
    for (const [asked, got] of [
      [-5, 0],
      [Number.MAX_SAFE_INTEGER, MAX_RETRY_DELAY_MS],
    ] as const) {
      expect(kindOf({ $case: "failed", value: { error, retryAfterMs: asked } })).to.nested.include({
        "value.retryAfterMs": got,
      });
      expect(kindOf({ $case: "released", value: { reason: "", retryAfterMs: asked, code: "" } })).to.nested.include({
        "value.retryAfterMs": got,
      });
    }
    for (const [asked, got] of [
      [-1, 0],
      [7, 1],
      [Number.NaN, undefined],
      [Infinity, 1],
    ] as const) {
      const progress = kindOf({ $case: "progress", value: { fraction: asked, message: "" } });
      expect(progress).to.nested.include({ "value.fraction": got });
    }
  });

  it("cuts messages and replaces codes that are none, whatever a worker in another language sends", () => {
    const long = `${"x".repeat(498)}😀 and more`;
    const failure = { code: "not a code", message: long, retryable: true, detailsJson: "" };
    const cut = { code: "HANDLER_ERROR", message: `${"x".repeat(498)}…`, retryable: true, detailsJson: "" };
    expect(kindOf({ $case: "failed", value: { error: failure } })).to.deep.nested.include({ "value.error": cut });
    const partial: ClaimKind = { $case: "succeeded", value: { resultJson: "1", warnings: [failure] } };
    expect(kindOf(partial)).to.deep.nested.include({ "value.warnings": [cut] });
    expect(kindOf({ $case: "released", value: { reason: long, retryAfterMs: 0, code: "" } })).to.nested.include({
      "value.reason": cut.message,
    });
  });
});
