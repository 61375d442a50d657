import { expect } from "chai";
import { attemptEnd, type StopFacts } from "#worker/execute/attempt-end.js";
import type { IsolateOutcome } from "#worker/isolate/isolate.js";

const LIMITS = { softTimeoutMs: 100, hardTimeoutMs: 200, memoryBytes: 64 };
const UNTOUCHED: StopFacts = {
  cancelled: false,
  abandoned: false,
  releasing: false,
  softReached: false,
  hardReached: false,
};
const error = { code: "HANDLER_ERROR", message: "boom", retryable: true, detailsJson: "" };

const outcomes = {
  succeeded: { kind: "succeeded", resultJson: "1", warnings: [] },
  threw: { kind: "failed", error },
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
  ["threw", { releasing: true }, "released 0"],
  ["later", {}, "released 70"],
  ["later", { softReached: true }, "SOFT_TIMEOUT retryable"],
  ["later", { cancelled: true }, "cancelled 2"],
  ["payload", {}, "PAYLOAD_REJECTED permanent"],
  ["type", {}, "UNKNOWN_TYPE retryable"],
  ["killed", { hardReached: true }, "HARD_TIMEOUT retryable"],
  ["killed", { cancelled: true }, "cancelled 3"],
  ["killed", { cancelled: true, hardReached: true }, "cancelled 3"],
  ["killed", { releasing: true }, "released 0"],
  ["crashed", {}, "CRASHED retryable"],
  ["crashed", { releasing: true }, "CRASHED retryable"],
  ["crashed", { cancelled: true }, "cancelled 2"],
  ["memory", {}, "OUT_OF_MEMORY retryable"],
  ["early", { cancelled: true }, "cancelled 1"],
  ["early", { releasing: true }, "released 0"],
];

function inWords(end: ReturnType<typeof attemptEnd>): string {
  const { report, outcome } = end;
  if (outcome === "abandoned") return outcome;
  if (report.$case === "cancelled") return `cancelled ${report.value.phase}`;
  if (report.$case === "released") return `released ${report.value.retryAfterMs}`;
  if (report.$case === "failed")
    return `${report.value.error?.code} ${report.value.error?.retryable === true ? "retryable" : "permanent"}`;
  return report.$case;
}

describe("attemptEnd", () => {
  for (const [outcome, stop, expected] of cases) {
    const done = Object.keys(stop).join(" and ") || "nothing was done to it";
    it(`an attempt that ${outcome} when ${done} is ${expected}`, () => {
      expect(inWords(attemptEnd(outcomes[outcome], { ...UNTOUCHED, ...stop }, LIMITS))).to.equal(expected);
    });
  }

  it("keeps how a crash came about", () => {
    const { report } = attemptEnd(outcomes.crashed, UNTOUCHED, LIMITS);
    expect(report).to.have.nested.property("value.error.detailsJson", '{"exitCode":1,"stderr":"oops"}');
  });
});
