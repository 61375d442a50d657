import { expect } from "chai";
import fc from "fast-check";
import { TaskEvent } from "#libs/proto/gen/taskwire/v1/task_event.js";
import { WatchTasksResponse } from "#libs/proto/gen/taskwire/v1/task_service.js";
import { ChangeWriter } from "#task-service/store/log/change-writer.js";

const task = fc.record({
  id: fc.uuid(),
  type: fc.constantFrom("a", "report.generate", "ü"),
  queue: fc.constantFrom("default", "q".repeat(63)),
  priority: fc.constant(0),
  labelsJson: fc.constant("{}"),
});
const event = fc.record({
  revision: fc.nat(),
  sequence: fc.nat(),
  text: fc.string({ maxLength: 40_000, size: "max" }),
});
const unselected = fc.record({ revision: fc.nat(), sequence: fc.nat(), state: fc.constantFrom(1, 2, 3, 4, 5) });

describe("ChangeWriter", () => {
  it("makes what ts-proto makes of a response with these changes", () => {
    const changes = fc.array(fc.tuple(task, fc.oneof(event, unselected)), { maxLength: 12 });
    fc.assert(
      fc.property(changes, (list) => {
        const writer = new ChangeWriter();
        const expected = list.map(([of, change]) => {
          const { id: taskId, type, queue } = of;
          if ("state" in change) {
            writer.unselected(of, change);
            return { kind: { $case: "unselected", value: { ...change, taskId } } };
          }
          const { text, ...place } = change;
          const plain = { ...place, taskId, kind: { $case: "output", value: { text } } } as const;
          writer.event(of, TaskEvent.encode(TaskEvent.fromPartial(plain)).finish());
          return { kind: { $case: "event", value: TaskEvent.fromPartial({ ...plain, type, queue }) } };
        });
        expect(WatchTasksResponse.decode(writer.finish()).changes).to.deep.equal(expected);
        expect(writer.bytes).to.equal(0);
      }),
      { numRuns: 50 },
    );
  });
});
