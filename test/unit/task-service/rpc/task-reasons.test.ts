import { expect } from "chai";
import { Heartbeat } from "#libs/proto/gen/taskwire/bus/v1/worker.js";
import { TaskState } from "#libs/tasks/task-state.js";
import { taskReasons, type DispatchView, type ExplainedTask } from "#task-service/rpc/task-reasons.js";
import { recordOf } from "#task-service/store/task-columns.js";
import type { TaskRecord } from "#task-service/store/task-record.js";
import type { LivingWorker } from "#task-service/workers/worker-registry.js";

const NOW_MS = 1_763_000_000_000;
const IDLE: DispatchView = { isOpen: true, dispatch: undefined, isWaitingApart: false, started: 0, unstarted: 0 };
const DISPATCH = { attempt: 1, ageMs: 1000.4, repeats: 0, isConfirmed: true, isHandedOut: false };
const FIRST = { position: 1, total: 1, isPositionMinimum: false, isTotalMinimum: false };

function taskOf(changes: Partial<TaskRecord>): TaskRecord {
  const none = { progress: null, start_time: null, end_time: null, cancel_request_time: null, retry_codes: null };
  const unset = { error: null, worker_id: null, initial_delay: null, maximum_delay: null, multiplier: 0 };
  const zero = { waiting: 0, priority: 0, attempt: 0, uncounted_attempts: 0, max_attempts: 0, report_number: 0 };
  const limits = { soft_timeout: 0, hard_timeout: 0, memory_bytes: 0, worker_losses: 0, sequence: 1 };
  const times = {
    create_time: NOW_MS,
    update_time: NOW_MS,
    run_time: NOW_MS,
    total_timeout: null,
    deadline_time: null,
  };
  const names = {
    key: 1,
    id: "id",
    type: "a.b",
    queue: "q",
    state: 1,
    labels: "{}",
    description: "",
    cancel_reason: "",
    unwatched_cancel: null,
  };
  return { ...recordOf({ ...names, ...none, ...unset, ...zero, ...limits, ...times }), ...changes };
}

function workerOf(heartbeat: Parameters<typeof Heartbeat.fromPartial>[0]): LivingWorker {
  const queues = ["q"];
  const types = ["a.b"];
  const whole = Heartbeat.fromPartial({ workerId: "w", queues, types, slots: 4, ...heartbeat });
  return { heartbeat: whole, lastSeenMs: NOW_MS - 500, heardAtMs: 0 };
}

/** The reasons of a due task with a worker that could start it, but for what is said. */
function reasons(changes: Partial<ExplainedTask>) {
  const workers = [workerOf({})];
  const usual = { task: taskOf({}), place: FIRST, lockedBy: null, dispatching: IDLE, workers };
  return taskReasons({ ...usual, isNatsConnected: true, nowMs: NOW_MS, ...changes });
}

const kinds = (changes: Partial<ExplainedTask>) => reasons(changes).map(({ $case }) => $case);
const valueIn = (changes: Partial<ExplainedTask>, kind: string) =>
  reasons(changes).find(({ $case }) => $case === kind)?.value;

describe("taskReasons", () => {
  it("has its place in line where nothing else is in the way", () => {
    expect(kinds({})).to.deep.equal(["inLine"]);
  });

  it("of a task that ended says only that, and no code where it COMPLETED with an earlier attempt's error", () => {
    const error = { code: "BUSY", message: "", retryable: true, detailsJson: "" };
    const task = taskOf({ state: TaskState.COMPLETED, endTimeMs: NOW_MS, error, cancelRequestTimeMs: NOW_MS });
    expect(reasons({ task, place: null })).to.deep.equal([
      { $case: "finished", value: { endTime: new Date(NOW_MS), errorCode: "" } },
    ]);
  });

  it("counts attempts of this round that count", () => {
    const task = taskOf({ attempt: 6, uncountedAttempts: 4, maxAttempts: 3, runTimeMs: NOW_MS + 1 });
    const runTime = new Date(NOW_MS + 1);
    expect(reasons({ task, place: null })).to.deep.equal([
      {
        $case: "waitingRetry",
        value: { attempt: 7, countedAttempt: 3, maxAttempts: 3, runTime, errorCode: "" },
      },
    ]);
  });

  it("tells draining workers from those that take tasks", () => {
    const draining = workerOf({ draining: true });
    expect(valueIn({ workers: [draining, draining] }, "noWorkers")).to.deep.equal({ queue: "q", draining: 2 });
    const other = workerOf({ types: ["c", "b"] });
    const value = { queue: "q", type: "a.b", workerTypes: ["b", "c"], workers: 1 };
    expect(valueIn({ workers: [draining, other] }, "noWorkerForType")).to.deep.equal(value);
    expect(kinds({ workers: [other, workerOf({ queues: ["else"] })] })).to.deep.equal(["noWorkerForType", "inLine"]);
    const many = workerOf({ types: Array.from({ length: 150 }, (_, index) => `t${index}`) });
    expect(valueIn({ workers: [many] }, "noWorkerForType"))
      .to.have.property("workerTypes")
      .with.lengthOf(100);
  });

  it("finds slots busy by what was dispatched, without the task itself, and by what workers say of other queues", () => {
    const busy = { $case: "slotsBusy" as const, value: { queue: "q", slots: 4 } };
    const dispatching = { ...IDLE, started: 3, unstarted: 1 };
    const value = { ...busy.value, running: 3, dispatched: 1, workersRunning: 0 };
    expect(valueIn({ dispatching }, "slotsBusy")).to.deep.equal(value);
    expect(kinds({ dispatching: { ...dispatching, dispatch: DISPATCH } })).to.deep.equal(["dispatched"]);
    expect(kinds({ dispatching: { ...dispatching, started: 4, dispatch: DISPATCH } })).to.deep.equal([
      "dispatched",
      "slotsBusy",
    ]);
    const workers = [workerOf({ running: 4 })];
    expect(valueIn({ workers }, "slotsBusy")).to.deep.include({ running: 0, dispatched: 0, workersRunning: 4 });
    expect(kinds({ workers: [...workers, workerOf({})] })).to.deep.equal(["inLine"]);
  });

  it("says nothing of workers while they cannot be heard", () => {
    expect(kinds({ isNatsConnected: false, workers: [] })).to.deep.equal(["natsAway", "inLine"]);
    expect(kinds({ dispatching: { ...IDLE, isOpen: false }, workers: [] })).to.deep.equal([
      "serviceStarting",
      "inLine",
    ]);
    const dispatching = { ...IDLE, dispatch: DISPATCH, unstarted: 1 };
    expect(kinds({ isNatsConnected: false, dispatching })).to.deep.equal(["natsAway", "dispatched"]);
  });

  it("leaves out what does not matter for a task that is not dispatched any more", () => {
    const cancelled = taskOf({ cancelRequestTimeMs: NOW_MS, deadlineMs: NOW_MS + 1 });
    expect(kinds({ task: cancelled, workers: [] })).to.deep.equal(["cancelRequest", "totalTimeout"]);
    expect(kinds({ lockedBy: "key", workers: [] })).to.deep.equal(["lockedPayload"]);
  });

  it("tells when it was dispatched by the wall clock", () => {
    const value = valueIn({ dispatching: { ...IDLE, dispatch: DISPATCH } }, "dispatched");
    expect(value)
      .to.have.property("dispatchTime")
      .that.deep.equals(new Date(NOW_MS - 1000));
  });
});
