import { expect } from "chai";
import { TaskFlow } from "#cli/top/task-flow.js";
import type { TasksFrame } from "#libs/client/taskwire-client.js";
import { Task, Task_State as State } from "#libs/proto/gen/taskwire/v1/task.js";
import { TaskEvent } from "#libs/proto/gen/taskwire/v1/task_event.js";

type Kind = NonNullable<TaskEvent["kind"]>;

const CREATED_MS = Date.parse("2026-03-01T08:00:00Z");
const later = (ms: number) => new Date(CREATED_MS + ms);

/** The id of a task that was created at {@link CREATED_MS}. */
const idOf = (number: number) => {
  const time = CREATED_MS.toString(16).padStart(12, "0");
  return `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-${String(number).padStart(12, "0")}`;
};

const created: Kind = { $case: "created", value: { type: "a.b", queue: "q", runTime: undefined } };
const started: Kind = { $case: "started", value: { workerId: "w", maxAttempts: 3 } };
const retried: Kind = { $case: "retryScheduled", value: { error: undefined, runTime: undefined } };
const completed: Kind = { $case: "completed", value: { result: 1, resultOmitted: false, warnings: [] } };
const failed: Kind = { $case: "failed", value: { error: undefined } };

interface Step {
  readonly kind: Kind;
  readonly state: State;
  readonly sequence: number;
  readonly atMs?: number;
  readonly attempt?: number;
  readonly queue?: string;
}

const frameOf = (changes: TasksFrame["changes"]): TasksFrame => ({
  isRestart: false,
  lagged: [],
  changes,
  tasks: [],
  syncedRevision: undefined,
  bookmarkRevision: undefined,
  resumeToken: "",
});

describe("TaskFlow", () => {
  let flow: TaskFlow;
  let revision = 0;

  beforeEach(() => {
    flow = new TaskFlow();
    flow.read(0);
    revision = 0;
  });

  function tell(number: number, { kind, state, sequence, atMs = 0, attempt = 1, queue = "q" }: Step): void {
    revision += 1;
    const head = { taskId: idOf(number), type: "a.b", queue, state, sequence, attempt, revision, time: later(atMs) };
    flow.take(frameOf([{ kind: "event", event: { ...TaskEvent.fromPartial(head), kind } }]));
  }
  const create = (number: number, queue = "q") =>
    tell(number, { kind: created, state: State.PENDING, sequence: 1, attempt: 0, queue });
  const start = (number: number, atMs: number) =>
    tell(number, { kind: started, state: State.RUNNING, sequence: 2, atMs });
  const taskOf = (number: number, state: State, sequence: number, startTime?: Date) =>
    Task.fromPartial({ id: idOf(number), queue: "q", state, sequence, startTime });

  it("counts tasks where they are, and tells rates, waits and runs", () => {
    create(1);
    create(2);
    create(3, "other");
    start(1, 100);
    start(2, 300);
    tell(1, { kind: completed, state: State.COMPLETED, sequence: 3, atMs: 1100 });
    tell(2, { kind: failed, state: State.FAILED, sequence: 3, atMs: 2300 });
    const { queues, totals, revision: last } = flow.read(2000);
    expect(last).to.equal(7);
    expect(queues.map(({ queue, pending, running }) => [queue, pending, running])).to.deep.equal([
      ["other", 1, 0],
      ["q", 0, 0],
    ]);
    expect(queues[1]).to.deep.include({
      failed: 1,
      createdPerSecond: { interval: 1, minute: 1 },
      finishedPerSecond: { interval: 1, minute: 1 },
      waitMs: { p50: 100, p99: 300, samples: 2 },
      runMs: { p50: 1000, p99: 2000, samples: 2 },
    });
    expect(totals).to.deep.include({ pending: 1, running: 0, failed: 1 });
    expect(totals.createdPerSecond.interval).to.equal(1.5);
  });

  it("takes the wait to the first start only, and the run of the last attempt only", () => {
    create(1);
    start(1, 100);
    tell(1, { kind: retried, state: State.PENDING, sequence: 3, atMs: 200 });
    expect(flow.read(1).totals).to.include({ pending: 1, running: 0 });
    tell(1, { kind: started, state: State.RUNNING, sequence: 4, atMs: 5000, attempt: 2 });
    tell(1, { kind: completed, state: State.COMPLETED, sequence: 5, atMs: 5500, attempt: 2 });
    expect(flow.read(2).totals).to.deep.include({
      waitMs: { p50: 100, p99: 100, samples: 1 },
      runMs: { p50: 500, p99: 500, samples: 1 },
    });
  });

  it("counts what was open before, whichever stream is ahead", () => {
    flow.beginCount();
    expect(flow.read(1).isCounted).to.equal(false);
    // The events are ahead of the snapshot: 1 has ended, 2 runs.
    tell(1, { kind: completed, state: State.COMPLETED, sequence: 5 });
    tell(2, { kind: { $case: "cancelRequested", value: { reason: "" } }, state: State.RUNNING, sequence: 4 });
    // The snapshot is ahead of the events: 3 runs already.
    flow.count([
      taskOf(1, State.RUNNING, 4, later(0)),
      taskOf(2, State.RUNNING, 3, later(50)),
      taskOf(3, State.RUNNING, 2, later(70)),
    ]);
    flow.endCount();
    create(3);
    start(3, 70);
    expect(flow.read(2)).to.deep.include({ isCounted: true });
    expect(flow.read(3).totals).to.include({ pending: 0, running: 2 });
    tell(2, { kind: completed, state: State.COMPLETED, sequence: 5, atMs: 150 });
    tell(3, { kind: completed, state: State.COMPLETED, sequence: 3, atMs: 270 });
    expect(flow.read(4).totals).to.deep.include({ running: 0, runMs: { p50: 100, p99: 200, samples: 2 } });
  });

  it("counts open tasks anew when events were missed, and keeps the rest", () => {
    create(1);
    create(2);
    start(2, 100);
    flow.beginCount();
    expect(flow.read(1).totals).to.include({ pending: 0, running: 0 });
    flow.count([taskOf(9, State.PENDING, 1)]);
    flow.endCount();
    expect(flow.read(2).totals).to.deep.include({ pending: 1, running: 0, waitMs: { p50: 100, p99: 100, samples: 1 } });
  });

  it("takes tasks that leave the filter off, and counts ends among them", () => {
    create(1);
    create(2);
    const leave = (number: number, state: State) => {
      const unselected = { revision: 9, taskId: idOf(number), sequence: 2, state };
      flow.take(frameOf([{ kind: "unselected", unselected }]));
    };
    leave(1, State.RUNNING);
    leave(2, State.FAILED);
    leave(3, State.FAILED);
    const { totals } = flow.read(1000);
    expect(totals).to.deep.include({ pending: 0, failed: 1, finishedPerSecond: { interval: 1, minute: 1 } });
  });

  it("forgets a queue without open tasks when there are too many", () => {
    flow = new TaskFlow(2);
    create(1, "kept");
    create(2, "idle");
    tell(2, { kind: completed, state: State.COMPLETED, sequence: 2, queue: "idle" });
    create(3, "new");
    expect(flow.read(1).queues.map(({ queue }) => queue)).to.deep.equal(["kept", "new"]);
    expect(flow.read(2).totals.pending).to.equal(2);
  });
});
