import { expect } from "chai";
import fc from "fast-check";
import { encodeEvent } from "#task-service/store/event-body.js";
import { EventClass, eventHead } from "#task-service/store/log/event-head.js";

const place = fc.record({
  revision: fc.nat(),
  sequence: fc.nat(),
  taskId: fc.uuid(),
  timeMs: fc.integer({ min: 0, max: 4_000_000_000_000 }),
  state: fc.constantFrom(1, 2, 3, 4, 5),
  attempt: fc.nat(),
});
const FACTS = [
  [EventClass.STATES, { kind: "softLimitReached" }],
  [EventClass.STATES, { kind: "cancelRequested", reason: "enough" }],
  [EventClass.STATES, { kind: "completed", resultJson: "1", warnings: [] }],
  [EventClass.PROGRESS, { kind: "progress", progress: { fraction: 0.5, message: "half" } }],
  [EventClass.LOGS, { kind: "log", level: 2, message: "line", fieldsJson: "", capped: false }],
  [EventClass.OUTPUT, { kind: "output", name: "out", text: "x", offset: 0, capped: false }],
] as const;

describe("eventHead", () => {
  it("reads from the encoded event what was encoded, and of which class it is", () => {
    fc.assert(
      fc.property(place, fc.constantFrom(...FACTS), (position, [eventClass, fact]) => {
        const { timeMs, state, attempt } = position;
        expect(eventHead(encodeEvent(position, fact))).to.deep.equal({ timeMs, state, attempt, eventClass });
      }),
    );
  });
});
