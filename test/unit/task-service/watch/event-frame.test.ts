import { expect } from "chai";
import fc from "fast-check";
import { TaskEvent } from "#libs/proto/gen/taskwire/v1/task_event.js";
import { WatchTaskResponse } from "#libs/proto/gen/taskwire/v1/task_service.js";
import { eventFrame } from "#task-service/watch/event-frame.js";

const event = fc
  .record({
    sequence: fc.integer({ min: 1, max: 2 ** 53 - 1 }),
    attempt: fc.nat(100),
    text: fc.string({ maxLength: 300 }),
  })
  .map(({ sequence, attempt, text }) =>
    TaskEvent.fromPartial({
      sequence,
      attempt,
      time: new Date(1_763_000_000_000),
      kind: { $case: "output", value: { name: "output", text, offset: 0, capped: false } },
    }),
  );

describe("eventFrame", () => {
  it("is what ts-proto makes of a response with these events", () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 20 }), (events) => {
        const frame = eventFrame(events.map((one) => TaskEvent.encode(one).finish()));
        const expected = WatchTaskResponse.encode(WatchTaskResponse.fromPartial({ events })).finish();
        expect(Buffer.from(frame).equals(Buffer.from(expected))).to.equal(true);
      }),
    );
  });
});
