import { expect } from "chai";
import { frameObjects } from "#cli/watch/frame-objects.js";
import type { TasksFrame } from "#libs/client/taskwire-client.js";
import { Task, Task_State as State } from "#libs/proto/gen/taskwire/v1/task.js";
import { TaskEvent } from "#libs/proto/gen/taskwire/v1/task_event.js";

const event = TaskEvent.fromPartial({
  revision: 8,
  sequence: 2,
  taskId: "a",
  type: "a.b",
  queue: "q",
  kind: { $case: "started", value: { workerId: "w" } },
});
const frame: TasksFrame = {
  isRestart: false,
  lagged: [5, 6],
  changes: [
    { kind: "event", event },
    { kind: "unselected", unselected: { revision: 9, taskId: "b", sequence: 3, state: State.FAILED } },
  ],
  tasks: [Task.fromPartial({ id: "c", type: "a.b" })],
  syncedRevision: 9,
  bookmarkRevision: 10,
  resumeToken: "T",
};

describe("frameObjects", () => {
  it("says a frame's items in the order of the stream", () => {
    const objects = frameObjects(frame, true) as Record<string, unknown>[];
    expect(objects.map(({ kind }) => kind)).to.deep.equal([
      ...["lagged", "started", "unselected", "task", "synced", "bookmark", "cursor"],
    ]);
    expect(objects[0]).to.deep.equal({ kind: "lagged", revisions: [5, 6] });
    expect(objects[1]).to.include({ taskId: "a", type: "a.b", queue: "q", revision: 8 });
    expect(objects[2]).to.deep.equal({ kind: "unselected", revision: 9, taskId: "b", sequence: 3, state: "FAILED" });
    expect(objects[3]).to.include({ id: "c", type: "a.b" });
    expect(objects.slice(4)).to.deep.equal([
      { kind: "synced", revision: 9 },
      { kind: "bookmark", revision: 10 },
      { kind: "cursor", resumeToken: "T" },
    ]);
  });

  it("says the cursor only where it is wanted", () => {
    expect(frameObjects(frame, false)).to.have.length(6);
    const heartbeat = { ...frame, lagged: [], changes: [], tasks: [], syncedRevision: undefined };
    expect(frameObjects({ ...heartbeat, bookmarkRevision: undefined }, false)).to.deep.equal([]);
  });
});
