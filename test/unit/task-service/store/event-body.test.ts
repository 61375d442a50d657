import { expect } from "chai";
import { TaskEvent } from "#libs/proto/gen/taskwire/v1/task_event.js";
import { TaskState } from "#libs/tasks/task-state.js";
import { encodeEvent } from "#task-service/store/event-body.js";

const position = {
  revision: 7,
  sequence: 3,
  taskId: "t",
  timeMs: 1_763_000_000_000,
  state: TaskState.RUNNING,
  attempt: 2,
};

describe("encodeEvent", () => {
  it("leaves a large result out of its event and says so", () => {
    const bodyOf = (resultJson: string) => {
      const { kind } = TaskEvent.decode(encodeEvent(position, { kind: "completed", resultJson, warnings: [] }));
      return kind?.$case === "completed" ? kind.value : undefined;
    };
    const text = (length: number) => JSON.stringify("x".repeat(length - 2));
    expect(bodyOf(text(16 * 1024))).to.include({ resultOmitted: false });
    expect(bodyOf(text(16 * 1024 + 1))).to.include({ resultOmitted: true, result: undefined });
    expect(bodyOf("null")).to.include({ result: null, resultOmitted: false });
  });

  it("encodes the next event as ever after one that cannot be encoded", () => {
    const line = { kind: "log", level: 2, message: "line", fieldsJson: '{"a":1}', capped: false } as const;
    const before = encodeEvent(position, line);
    expect(() => encodeEvent({ ...position, timeMs: Number.NaN }, line)).to.throw();
    expect(() => encodeEvent(position, { ...line, level: 2 ** 40 })).to.throw();
    expect(Buffer.from(encodeEvent(position, line)).toString("hex")).to.equal(Buffer.from(before).toString("hex"));
  });
});
