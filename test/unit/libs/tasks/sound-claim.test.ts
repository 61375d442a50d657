import { expect } from "chai";
import type { Claim, ClaimKind, StartedClaim } from "#libs/tasks/claim.js";
import {
  MAX_ATTEMPTS,
  MAX_JSON_BYTES,
  MAX_RETRY_CODES,
  MAX_RETRY_DELAY_MS,
  MAX_RETRY_MULTIPLIER,
  MAX_TOTAL_TIMEOUT_MS,
  MIN_TOTAL_TIMEOUT_MS,
} from "#libs/tasks/limits.js";
import { soundClaim } from "#libs/tasks/sound-claim.js";

function claimOf(kind: ClaimKind | undefined): Claim {
  return { taskId: "t", attempt: 1, number: 2, kind };
}

function kindOf(kind: ClaimKind): ClaimKind | undefined {
  return soundClaim(claimOf(kind)).kind;
}

function codes(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `CODE_${index}`);
}

const error = { code: "E", message: "m", retryable: true, detailsJson: "" };

const start = { maxAttempts: 0, multiplier: 0, retryableCodes: [], permanentCodes: [] };

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

  it("quotes nothing of a result that is no JSON", () => {
    for (const resultJson of ["hunter2", '{"password":"hunter2"', '{"password":hunter2}']) {
      const sound = kindOf({ $case: "succeeded", value: { resultJson, warnings: [] } });
      expect(sound).to.have.nested.property("value.error.message", "the result is no JSON");
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

  it("brings a handler's own retry settings into their ranges", () => {
    const bounds: [Partial<StartedClaim>, Partial<StartedClaim>][] = [
      [{ maxAttempts: -1 }, { maxAttempts: 0 }],
      [{ maxAttempts: MAX_ATTEMPTS + 1 }, { maxAttempts: MAX_ATTEMPTS }],
      [{ multiplier: Number.NaN }, { multiplier: 0 }],
      [{ multiplier: 0.99 }, { multiplier: 0 }],
      [{ multiplier: Infinity }, { multiplier: MAX_RETRY_MULTIPLIER }],
      [{ initialDelayMs: -1 }, { initialDelayMs: 0 }],
      [{ maximumDelayMs: MAX_RETRY_DELAY_MS + 1 }, { maximumDelayMs: MAX_RETRY_DELAY_MS }],
      [{ totalTimeoutMs: -1 }, { totalTimeoutMs: MIN_TOTAL_TIMEOUT_MS }],
      [{ totalTimeoutMs: MIN_TOTAL_TIMEOUT_MS - 1 }, { totalTimeoutMs: MIN_TOTAL_TIMEOUT_MS }],
      [{ totalTimeoutMs: MAX_TOTAL_TIMEOUT_MS + 1 }, { totalTimeoutMs: MAX_TOTAL_TIMEOUT_MS }],
      [{ permanentCodes: codes(MAX_RETRY_CODES + 1) }, { permanentCodes: codes(MAX_RETRY_CODES) }],
    ];
    for (const [asked, got] of bounds)
      expect(kindOf({ $case: "started", value: { ...start, ...asked } })?.value).to.deep.include({ ...start, ...got });
    const sound: Partial<StartedClaim>[] = [
      { maxAttempts: MAX_ATTEMPTS, multiplier: 1, initialDelayMs: 0, maximumDelayMs: MAX_RETRY_DELAY_MS },
      { multiplier: MAX_RETRY_MULTIPLIER, totalTimeoutMs: 0, retryableCodes: codes(MAX_RETRY_CODES) },
      { totalTimeoutMs: MIN_TOTAL_TIMEOUT_MS },
      { totalTimeoutMs: MAX_TOTAL_TIMEOUT_MS },
    ];
    for (const value of sound) {
      const claim = claimOf({ $case: "started", value: { ...start, ...value } });
      expect(soundClaim(claim)).to.equal(claim);
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
