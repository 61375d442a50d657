import { expect } from "chai";
import { TaskState } from "#libs/client/taskwire-client.js";
import { TaskCancelled_Phase as Phase } from "#libs/proto/gen/taskwire/v1/task_event.js";
import { started, succeeded } from "#test/conformance/task-store/sample-task.js";
import { endOf, expectWholeHistory, historyOf, kindsOf, valuesOf } from "#test/support/follow-task.js";
import { ForeignWorker } from "#test/support/foreign-worker.js";
import { startTestStack, type TestStack } from "#test/support/test-stack.js";
import { testsAtOnce } from "#test/support/tests-at-once.js";
import { until } from "#test/support/until.js";

const TYPE = "foreign.type";
const LEASE_MS = 1000;
/** Longer than it takes until a cancel that nobody answers is ended by force. */
const FORCED_AFTER_MS = 12_000;
const WAIT_MS = 30_000;

describe("When a task is cancelled whose worker cannot report that it has started it", function () {
  this.timeout(90_000);
  /** Runs `body` with a stack and its only worker. */
  async function withWorker(body: (test: TestStack, worker: ForeignWorker) => Promise<void>): Promise<void> {
    const test = await startTestStack({
      workers: 0,
      serviceEnv: { TASKWIRE_REDISPATCH_MS: "500", TASKWIRE_LEASE_MS: String(LEASE_MS) },
    });
    const worker = new ForeignWorker(test.stack.natsUrl, [TYPE]);
    try {
      await worker.start(4);
      await body(test, worker);
    } finally {
      await worker.stop();
      await test.stop();
    }
  }

  /** A task whose first attempt the worker holds, says nothing of, and has been asked to cancel. */
  async function cancelledTask({ client }: TestStack, worker: ForeignWorker) {
    const { id: taskId } = await client.create(TYPE);
    await until("it was handed out", () => worker.dispatches.some((dispatch) => dispatch.taskId === taskId));
    const held = { taskId, attempt: 1 };
    worker.hold(held);
    expect(await client.cancel(taskId)).to.include({ state: TaskState.PENDING, attempt: 0 });
    return held;
  }

  async function namedByHeartbeats(test: TestStack, worker: ForeignWorker): Promise<void> {
    const held = await cancelledTask(test, worker);
    const untilMs = Date.now() + FORCED_AFTER_MS;
    await until("all patience is over", () => Date.now() > untilMs, WAIT_MS);
    const task = await test.client.get(held.taskId);
    expect(task).to.include({ state: TaskState.PENDING, attempt: 0 });
    expect(worker.dispatches).to.have.lengthOf(1);
    await worker.report(held, [started]);
    await until("it is told to cancel", () => worker.commands.some(({ kind }) => kind?.$case === "cancel"));
    await worker.report(held, [started, { $case: "cancelled", value: { phase: 2 } }]);
    const events = await historyOf(test.client, held.taskId);
    expect(kindsOf(events)).to.deep.equal(["created", "cancelRequested", "started", "cancelled"]);
    expect(valuesOf(events, "cancelled")).to.deep.equal([{ phase: Phase.COOPERATIVE, reason: "" }]);
  }

  async function silentWorker(test: TestStack, worker: ForeignWorker): Promise<void> {
    const held = await cancelledTask(test, worker);
    worker.fallSilent();
    const cancelled = await endOf(test.client, held.taskId, WAIT_MS);
    expect(cancelled).to.include({ state: TaskState.CANCELLED, attempt: 1 });
    // No worker takes it for now.
    await test.client.retry(held.taskId);
    await worker.report(held, [started, succeeded('"of the round before"')]);
    const other = new ForeignWorker(test.stack.natsUrl, [TYPE]);
    try {
      await other.start(4);
      const dispatch = await until("another worker is handed it", () => other.dispatches[0], WAIT_MS);
      expect(dispatch).to.include({ taskId: held.taskId, attempt: 2, maxAttempts: 0 });
      await other.report(dispatch, [started, succeeded('"of this round"')]);
      const events = await historyOf(test.client, held.taskId);
      expectWholeHistory(events.filter(({ sequence }) => sequence > cancelled.sequence).map(renumbered));
      expect(valuesOf(events, "cancelled")).to.deep.equal([{ phase: Phase.WORKER_LOST, reason: "" }]);
      expect(await test.client.get(held.taskId)).to.deep.include({ attempt: 2, result: "of this round" });
      const attempts = [];
      for await (const { number, workerId } of test.client.attempts(held.taskId)) attempts.push([number, workerId]);
      expect(attempts).to.deep.equal([[2, other.workerId]]);
    } finally {
      await other.stop();
    }
  }

  testsAtOnce(2, [
    [
      "does not tell CANCELLED, nor hands it out again, while heartbeats name it (Stops when told)",
      () => withWorker(namedByHeartbeats),
    ],
    [
      "ends it without that worker once it is silent, and takes nothing it says later for another round (At-least-once run, exactly-once effect)",
      () => withWorker(silentWorker),
    ],
  ]);
});

function renumbered<T>(event: T, index: number): T & { sequence: number } {
  return { ...event, sequence: index + 1 };
}
