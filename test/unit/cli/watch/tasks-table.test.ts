import { stripVTControlCharacters } from "node:util";
import { expect } from "chai";
import { TasksTable } from "#cli/watch/tasks-table.js";
import type { TasksFrame } from "#libs/client/taskwire-client.js";
import { Task, Task_State as State } from "#libs/proto/gen/taskwire/v1/task.js";
import { TaskEvent } from "#libs/proto/gen/taskwire/v1/task_event.js";

type Kind = NonNullable<TaskEvent["kind"]>;

const start = new Date("2026-03-01T08:00:00Z");
const later = (seconds: number) => new Date(start.getTime() + seconds * 1000);

/** The id of a task that was created at {@link start}. */
const idOf = (number: number) => {
  const time = start.getTime().toString(16).padStart(12, "0");
  return `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-${String(number).padStart(12, "0")}`;
};

const nothing: TasksFrame = {
  isRestart: false,
  lagged: [],
  changes: [],
  tasks: [],
  syncedRevision: undefined,
  bookmarkRevision: undefined,
  resumeToken: "",
};

const taskOf = (number: number, state: State, more: Partial<Task> = {}) =>
  Task.fromPartial({ id: idOf(number), type: "a.b", queue: "q", state, createTime: start, ...more });

function eventOf(number: number, state: State, kind: Kind, revision = 1) {
  const head = { taskId: idOf(number), type: "a.b", queue: "q", state, attempt: 1, revision, time: later(revision) };
  const event: TaskEvent = { ...TaskEvent.fromPartial(head), kind };
  return { kind: "event", event } as const;
}

const started: Kind = { $case: "started", value: { workerId: "w", maxAttempts: 3 } };
const completed: Kind = { $case: "completed", value: { result: 1, resultOmitted: false, warnings: [] } };

const linesOf = (table: TasksTable, height = 20, now = later(60)) =>
  table.lines(now, height).map((line) => stripVTControlCharacters(line));

/** The last digits of the ids in the order of the rows. */
const orderOf = (table: TasksTable, height?: number) =>
  linesOf(table, height)
    .slice(2)
    .map((line) => Number(/^\S+-0*(\d+) /.exec(line)?.[1]));

describe("TasksTable", () => {
  it("counts by state, with the revision, and says whether it is complete", () => {
    const table = new TasksTable();
    table.take({ ...nothing, tasks: [taskOf(1, State.PENDING), taskOf(2, State.RUNNING), taskOf(3, State.FAILED)] });
    expect(linesOf(table)[0]).to.equal(
      "RUNNING 1  PENDING 1  COMPLETED 0  FAILED 1  CANCELLED 0  revision 0  catching up",
    );
    table.take({ ...nothing, changes: [eventOf(1, State.RUNNING, started, 8)], syncedRevision: 7 });
    expect(linesOf(table)[0]).to.equal("RUNNING 2  PENDING 0  COMPLETED 0  FAILED 1  CANCELLED 0  revision 8");
  });

  it("shows the running ones first, then those that wait, then the latest ends", () => {
    const table = new TasksTable();
    const tasks = [
      taskOf(1, State.COMPLETED, { endTime: later(5) }),
      taskOf(2, State.FAILED, { endTime: later(9) }),
      taskOf(3, State.PENDING),
      taskOf(4, State.PENDING),
      taskOf(5, State.RUNNING),
    ];
    table.take({ ...nothing, tasks });
    expect(orderOf(table)).to.deep.equal([5, 3, 4, 2, 1]);
    table.take({
      ...nothing,
      changes: [eventOf(4, State.RUNNING, started, 11), eventOf(5, State.COMPLETED, completed, 12)],
    });
    expect(orderOf(table)).to.deep.equal([4, 3, 5, 2, 1]);
  });

  it("shows type, queue, state, attempt, time and progress, also of a task known from one event", () => {
    const table = new TasksTable();
    const progress = { fraction: 0.5, current: undefined, total: undefined, message: "half\u001b[2J\nway" };
    table.take({
      ...nothing,
      changes: [
        eventOf(1, State.RUNNING, started, 10),
        eventOf(1, State.RUNNING, { $case: "progress", value: progress }, 20),
        eventOf(2, State.RUNNING, { $case: "progress", value: progress }, 21),
      ],
      tasks: [taskOf(3, State.PENDING)],
    });
    const [, headings, ...rows] = linesOf(table);
    expect(headings).to.match(/^ID +TYPE +QUEUE +STATE +ATTEMPT +TIME +PROGRESS$/);
    expect(rows[0]).to.match(
      /^\S+ {2}a\.b {3}q {6}RUNNING {2}1 {8}50\.0 s {5}█{10}░{10} {2}50% {2}half\\x1b\[2J\\nway$/,
    );
    expect(rows[1], "nobody said when it began").to.match(/RUNNING {2}1 {19}█/);
    expect(rows[2]).to.match(/PENDING {11}1 min 0 s$/);
  });

  it("forgets tasks that leave the filter, and all when the snapshot begins anew", () => {
    const table = new TasksTable();
    table.take({ ...nothing, tasks: [1, 2, 3].map((number) => taskOf(number, State.PENDING)), syncedRevision: 5 });
    const unselected = { revision: 6, taskId: idOf(2), sequence: 2, state: State.CANCELLED };
    table.take({ ...nothing, changes: [{ kind: "unselected", unselected }] });
    expect(orderOf(table)).to.deep.equal([1, 3]);
    expect(linesOf(table)[0]).to.match(/revision 6$/);
    table.take({ ...nothing, isRestart: true, tasks: [taskOf(4, State.PENDING)] });
    expect(orderOf(table)).to.deep.equal([4]);
    expect(linesOf(table)[0]).to.match(/revision 0 {2}catching up$/);
  });

  it("fits the height, and says how many more there are", () => {
    const table = new TasksTable();
    table.take({ ...nothing, tasks: [1, 2, 3, 4].map((number) => taskOf(number, State.PENDING)) });
    expect(linesOf(table, 6)).to.have.length(6);
    expect(orderOf(table, 6)).to.deep.equal([1, 2, 3, 4]);
    expect(linesOf(table, 5)).to.have.length(5);
    expect(linesOf(table, 5).at(-1)).to.equal("… 2 more");
  });

  it("keeps a bounded number: drops the oldest ends first, then those that wait longest behind, and says so", () => {
    const table = new TasksTable(3);
    table.take({
      ...nothing,
      tasks: [taskOf(1, State.COMPLETED), taskOf(2, State.COMPLETED), taskOf(3, State.RUNNING)],
    });
    table.take({ ...nothing, tasks: [taskOf(4, State.PENDING)] });
    expect(orderOf(table)).to.deep.equal([3, 4, 2]);
    table.take({ ...nothing, tasks: [taskOf(5, State.PENDING), taskOf(6, State.PENDING)] });
    expect(orderOf(table)).to.deep.equal([3, 4, 5]);
    table.take({ ...nothing, changes: [eventOf(6, State.RUNNING, started)] });
    expect(orderOf(table)).to.deep.equal([3, 6, 5]);
    expect(table.size).to.equal(3);
    expect(linesOf(table)[0]).to.include("3 tasks are kept, 4 were dropped, the oldest finished ones first");
  });

  it("tells lasting lines after the id of their task", () => {
    const log = { level: 2, message: "hello", fields: undefined, capped: false };
    const lasting = new TasksTable().take({
      ...nothing,
      changes: [eventOf(1, State.RUNNING, { $case: "log", value: log })],
    });
    expect(lasting.map((line) => stripVTControlCharacters(line))[0]).to.match(/^\S{36} \S+ info {2}hello$/);
  });
});
