import { expect } from "chai";
import { TaskEvent } from "#libs/proto/gen/taskwire/v1/task_event.js";
import { TaskState } from "#libs/tasks/task-state.js";
import type { TaskStore } from "#task-service/store/task-store.js";
import type { AttemptRecord, TaskRecord } from "#task-service/store/task-record.js";
import { compareTask } from "#task-service/verify/compare-task.js";
import { TaskReplay } from "#task-service/verify/task-replay.js";
import { LIST_ALL } from "#test/conformance/task-store/sample-task.js";
import { expectSame } from "#test/conformance/task-store/model/expect-same.js";
import type { ModelTask } from "#test/conformance/task-store/model/model-task.js";
import { QUEUES, TYPES } from "#test/conformance/task-store/model/random-steps.js";
import { compareEvent } from "#test/conformance/task-store/model/store-bench.js";
import type { StoreModel } from "#test/conformance/task-store/model/store-model.js";

const LIMIT = 10_000;
/** Small, so that pages have to be turned. */
const PAGE = 3;

/** Compares everything a store can be asked with what the model knows. */
export async function compareStore(store: TaskStore, model: StoreModel): Promise<void> {
  await Promise.all([...model.tasks.values()].map((task) => compareWholeTask(store, task)));
  for (const id of [...model.gone].slice(-5)) {
    expect(await store.read({ kind: "getTask", id, isFull: true })).to.equal(null);
    expect(await store.read({ kind: "readEvents", id, afterSequence: 0, limit: 1 })).to.equal(null);
    expect(await store.read({ kind: "listAttempts", id, afterNumber: 0, limit: 1 })).to.equal(null);
  }
  await compareLists(store, model);
  const keys = [...model.tasks.values()].map(({ record }) => record.key);
  expect(await store.read({ kind: "lastKey" })).to.equal(Math.max(0, ...keys));
  expect(await store.read({ kind: "lastRevision" })).to.equal(model.lastRevision);
  expect(store.revision).to.equal(model.lastRevision);
  for (const queue of QUEUES) {
    const { open, running } = store.statistics.held(queue);
    const counts = { open: model.countOpen(queue), running: model.countRunning(queue) };
    expectSame(`the counts of ${queue}`, { open, running }, counts);
  }
}

async function compareWholeTask(store: TaskStore, expected: ModelTask): Promise<void> {
  const { id } = expected.record;
  const task = await store.read({ kind: "getTask", id, isFull: true });
  if (task === null) throw new Error(`task ${id} is lost`);
  expectSame(`task ${id}`, task, asStored(expected.record));
  const basic = await store.read({ kind: "getTask", id, isFull: false });
  expectSame(`task ${id} without its payload`, basic, { ...task, payloadJson: "", resultJson: null, warnings: [] });

  const history = await store.read({ kind: "readEvents", id, afterSequence: 0, limit: LIMIT });
  const events = history?.events ?? [];
  expect(history).to.include({ state: task.state, sequence: task.sequence });
  expect(events.map(({ sequence }) => sequence)).to.deep.equal(expected.events.map((_, index) => index + 1));
  for (const [index, event] of expected.events.entries()) {
    expect(events[index]?.revision).to.equal(event.revision);
    compareEvent(events[index]?.body ?? new Uint8Array(), event);
  }

  const attempts: AttemptRecord[] = [];
  for (let page: readonly AttemptRecord[] | null = []; page !== null;) {
    page = await store.read({ kind: "listAttempts", id, afterNumber: attempts.at(-1)?.number ?? 0, limit: PAGE });
    attempts.push(...(page ?? []));
    if ((page?.length ?? 0) < PAGE) break;
  }
  expectSame(`the attempts of ${id}`, attempts, expected.attempts);
  replay(
    task,
    attempts,
    events.map(({ body }) => TaskEvent.decode(body)),
  );
}

/** The task recomputed from its stored events alone is the stored task. */
function replay(task: TaskRecord, attempts: readonly AttemptRecord[], events: readonly TaskEvent[]): void {
  const findings: unknown[] = [];
  const replayed = new TaskReplay((fault) => findings.push(fault));
  for (const event of events) replayed.apply(event);
  findings.push(...compareTask({ task, attempts, resultJson: task.resultJson, isOld: false }, replayed.task, false));
  expectSame(`what is wrong with the replay of ${task.id}`, findings, []);
}

async function compareLists(store: TaskStore, model: StoreModel): Promise<void> {
  const all = [...model.tasks.values()].map(({ record }) => record);
  const { tasks } = await store.read({ kind: "listTasks", list: LIST_ALL });
  expect(tasks.map(({ id }) => id)).to.deep.equal(all.map(({ id }) => id).sort());

  const running = await store.read({ kind: "readRunning" });
  const expectedRunning = all
    .filter(({ state }) => state === TaskState.RUNNING)
    .map(({ id, queue, type, attempt, workerId, workerLosses, cancelReason, cancelRequestTimeMs }) => {
      const isCancelRequested = cancelRequestTimeMs !== null;
      return { id, queue, type, attempt, workerId, workerLosses, cancelReason, isCancelRequested };
    });
  expectSame("the running tasks", [...running].sort(byId), expectedRunning.sort(byId));

  const { nowMs } = model.clock;
  const overdue = await store.read({ kind: "readOverdue", nowMs, limit: LIMIT });
  const expectedOverdue = all
    .filter(({ state, deadlineMs }) => state === TaskState.PENDING && deadlineMs !== null && deadlineMs <= nowMs)
    .map(({ key, id, queue, attempt, deadlineMs }) => ({ key, id, queue, attempt, deadlineMs }));
  expectSame("the overdue tasks", [...overdue].sort(byId), expectedOverdue.sort(byId));

  for (const queue of QUEUES)
    for (const type of TYPES) {
      const due = await store.read({ kind: "readDue", lane: { queue, type }, after: null, limit: LIMIT });
      const expected = dueInLane(model, queue, type);
      expectSame(
        "the due tasks",
        due.map(({ id }) => id),
        expected.map(({ id }) => id),
      );
      for (const [index, task] of due.entries()) expect(asStored(expected[index])).to.deep.include(task);
      const keys = due.map(({ key }) => key);
      expect(await store.read({ kind: "loadDue", keys })).to.deep.equal(due);
    }
  const idle = all.filter(({ state }) => state !== TaskState.PENDING).map(({ key }) => key);
  expect(await store.read({ kind: "loadDue", keys: idle })).to.deep.equal([]);
}

function dueInLane(model: StoreModel, queue: string, type: string): TaskRecord[] {
  return [...model.tasks.values()]
    .filter(({ record, isWaiting }) => {
      const isDue = record.state === TaskState.PENDING && !isWaiting && record.cancelRequestTimeMs === null;
      return isDue && record.queue === queue && record.type === type;
    })
    .map(({ record }) => record)
    .sort((a, b) => b.priority - a.priority || a.runTimeMs - b.runTimeMs || a.key - b.key);
}

/** As JSON keeps it: what is undefined in a progress is left out. */
function asStored(record: TaskRecord | undefined): unknown {
  if (record === undefined) return undefined;
  return { ...record, progress: record.progress && (JSON.parse(JSON.stringify(record.progress)) as unknown) };
}

function byId(a: { readonly id: string }, b: { readonly id: string }): number {
  return a.id < b.id ? -1 : 1;
}
