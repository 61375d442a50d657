import { expect } from "chai";
import { TaskEvent } from "#libs/proto/gen/taskwire/v1/task_event.js";
import { eventText } from "#cli/output/event-text.js";

type Kind = NonNullable<TaskEvent["kind"]>;

const TIME = new Date("2026-03-01T12:00:00Z");
const error = { code: "BUSY", message: "no line\nis free", retryable: true, details: undefined };

const CASES: readonly (readonly [Kind, string])[] = [
  [
    { $case: "created", value: { type: "a.b", queue: "q", runTime: TIME } },
    "a.b in queue q, due at 2026-03-01T12:00:00.000Z",
  ],
  [{ $case: "started", value: { workerId: "w", maxAttempts: 3 } }, "on worker w"],
  [{ $case: "progress", value: { fraction: undefined, current: 2, total: undefined, message: "on" } }, "2  on"],
  [{ $case: "log", value: { level: 3, message: "careful\nnow", fields: undefined, capped: false } }, "WARN careful"],
  [{ $case: "output", value: { name: "page", text: "é", offset: 7, capped: false } }, "page, 2 bytes at 7"],
  [{ $case: "retryScheduled", value: { error, runTime: TIME } }, "BUSY: no line; due at 2026-03-01T12:00:00.000Z"],
  [
    { $case: "released", value: { reason: "", code: "RETRY_LATER", runTime: TIME } },
    "RETRY_LATER; due at 2026-03-01T12:00:00.000Z",
  ],
  [{ $case: "reopened", value: { runTime: TIME } }, "due at 2026-03-01T12:00:00.000Z"],
  [{ $case: "cancelRequested", value: { reason: "enough\nof it" } }, "enough"],
  [{ $case: "cancelDelivered", value: { workerId: "w" } }, "to worker w"],
  [{ $case: "cancelAcknowledged", value: {} }, ""],
  [{ $case: "cancelGraceExpired", value: { graceMs: 500 } }, "after 500 ms"],
  [{ $case: "softLimitReached", value: {} }, ""],
  [{ $case: "staleAttemptRejected", value: { workerId: "w", reportedAttempt: 2 } }, "attempt 2 of worker w"],
  [{ $case: "completed", value: { result: 1, resultOmitted: false, warnings: [] } }, ""],
  [{ $case: "completed", value: { result: 1, resultOmitted: false, warnings: [error, error] } }, "with 2 warnings"],
  [{ $case: "failed", value: { error } }, "BUSY: no line"],
  [{ $case: "cancelled", value: { phase: 2, reason: "" } }, "COOPERATIVE"],
  [{ $case: "cancelled", value: { phase: 1, reason: "enough" } }, "BEFORE_START, enough"],
];

describe("eventText", () => {
  for (const [kind, text] of CASES) {
    it(`${kind.$case}: ${text === "" ? "nothing more" : text}`, () => {
      expect(eventText({ ...TaskEvent.fromPartial({ sequence: 1 }), kind })).to.equal(text);
    });
  }
});
