import { expect } from "chai";
import type { StopFacts } from "#libs/attempts/attempt-verdict.js";
import { attemptEnd } from "#worker/execute/attempt-end.js";
import type { IsolateOutcome } from "#libs/attempts/isolate-outcome.js";

const LIMITS = { softTimeoutMs: 100, hardTimeoutMs: 200, memoryBytes: 64 };
const UNTOUCHED: StopFacts = {
  cancelled: false,
  abandoned: false,
  releasing: false,
  softReached: false,
  hardReached: false,
};
const error = { code: "HANDLER_ERROR", message: "boom", retryable: true, detailsJson: "" };
const permanent = { ...error, code: "NO_SUCH_USER", retryable: false };

const outcomes = {
  succeeded: { kind: "succeeded", resultJson: "1", warnings: [] },
  threw: { kind: "failed", error },
  "gave up": { kind: "failed", error: permanent },
  asked: { kind: "failed", error, retryAfterMs: 40 },
  later: { kind: "retry-later", delayMs: 70, reason: "later" },
  payload: { kind: "refused", code: "PAYLOAD_REJECTED", message: "", detailsJson: "" },
  type: { kind: "refused", code: "UNKNOWN_TYPE", message: "", detailsJson: "" },
  killed: { kind: "died", cause: "killed", exitCode: undefined, signal: "SIGKILL", stderrTail: "" },
  crashed: { kind: "died", cause: "crashed", exitCode: 1, signal: undefined, stderrTail: "oops" },
  memory: { kind: "died", cause: "out-of-memory", exitCode: undefined, signal: "SIGKILL", stderrTail: "" },
  early: { kind: "cancelled-early" },
} as const satisfies Record<string, IsolateOutcome | { kind: "cancelled-early" }>;

const cases: readonly (readonly [keyof typeof outcomes, Partial<StopFacts>, string])[] = [
  ["succeeded", {}, "succeeded"],
  ["succeeded", { cancelled: true }, "succeeded"],
  ["succeeded", { softReached: true }, "succeeded"],
  ["succeeded", { releasing: true }, "succeeded"],
  ["succeeded", { abandoned: true }, "abandoned"],
  ["threw", {}, "HANDLER_ERROR retryable"],
  ["threw", { softReached: true }, "SOFT_TIMEOUT retryable"],
  ["threw", { cancelled: true }, "cancelled 2"],
  ["threw", { cancelled: true, softReached: true }, "cancelled 2"],
  ["threw", { releasing: true }, "released WORKER_SHUTDOWN 0"],
  ["gave up", {}, "NO_SUCH_USER permanent"],
  ["gave up", { softReached: true }, "SOFT_TIMEOUT permanent"],
  ["gave up", { releasing: true }, "NO_SUCH_USER permanent"],
  ["gave up", { cancelled: true }, "cancelled 2"],
  ["asked", {}, "HANDLER_ERROR retryable after 40"],
  ["asked", { softReached: true }, "SOFT_TIMEOUT retryable after 40"],
  ["later", {}, "released RETRY_LATER 70"],
  ["later", { releasing: true }, "released WORKER_SHUTDOWN 0"],
  ["later", { softReached: true }, "SOFT_TIMEOUT retryable after 70"],
  ["later", { cancelled: true }, "cancelled 2"],
  ["payload", {}, "PAYLOAD_REJECTED permanent"],
  ["type", {}, "UNKNOWN_TYPE retryable"],
  ["killed", { hardReached: true }, "HARD_TIMEOUT retryable"],
  ["killed", { cancelled: true }, "cancelled 3"],
  ["killed", { cancelled: true, hardReached: true }, "cancelled 3"],
  ["killed", { releasing: true }, "released WORKER_SHUTDOWN 0"],
  ["crashed", {}, "CRASHED retryable"],
  ["crashed", { releasing: true }, "CRASHED retryable"],
  ["crashed", { cancelled: true }, "cancelled 2"],
  ["memory", {}, "OUT_OF_MEMORY retryable"],
  ["early", { cancelled: true }, "cancelled 1"],
  ["early", { releasing: true }, "released WORKER_SHUTDOWN 0"],
];

function inWords(end: ReturnType<typeof attemptEnd>): string {
  const { report, outcome } = end;
  if (outcome === "abandoned") return outcome;
  if (report.$case === "cancelled") return `cancelled ${report.value.phase}`;
  if (report.$case === "released") return `released ${report.value.code} ${report.value.retryAfterMs}`;
  if (report.$case === "failed") {
    const { error, retryAfterMs } = report.value;
    const when = retryAfterMs === undefined ? "" : ` after ${retryAfterMs}`;
    return `${error?.code} ${error?.retryable === true ? "retryable" : "permanent"}${when}`;
  }
  return report.$case;
}

describe("attemptEnd", () => {
  for (const [outcome, stop, expected] of cases) {
    const done = Object.keys(stop).join(" and ") || "nothing was done to it";
    it(`an attempt that ${outcome} when ${done} is ${expected}`, () => {
      expect(inWords(attemptEnd(outcomes[outcome], { ...UNTOUCHED, ...stop }, LIMITS))).to.equal(expected);
    });
  }

  it("keeps what a handler threw after the soft limit", () => {
    const { report } = attemptEnd(outcomes["gave up"], { ...UNTOUCHED, softReached: true }, LIMITS);
    const details = '{"handlerCode":"NO_SUCH_USER","handlerError":"boom"}';
    expect(report).to.have.nested.property("value.error.detailsJson", details);
  });

  it("keeps the signal that ended a process", () => {
    const shot = { ...outcomes.crashed, exitCode: undefined, signal: "SIGKILL", stderrTail: "" };
    const { report } = attemptEnd(shot, UNTOUCHED, LIMITS);
    expect(report).to.deep.nested.include({
      "value.error.code": "CRASHED",
      "value.error.message": "the isolate ended by SIGKILL",
      "value.error.detailsJson": '{"signal":"SIGKILL"}',
    });
  });

  it("keeps how a crash came about", () => {
    const { report } = attemptEnd(outcomes.crashed, UNTOUCHED, LIMITS);
    expect(report).to.have.nested.property("value.error.detailsJson", '{"exitCode":1,"stderr":"oops"}');
  });
});
