import { expect } from "chai";
import { ensureStreams } from "#libs/bus/topology.js";
import { DispatchTask } from "#libs/proto/gen/taskwire/bus/v1/dispatch.js";
import { TaskState } from "#libs/tasks/task-state.js";
import { adoptDispatches } from "#task-service/dispatch/adopt-dispatches.js";
import { UnansweredCancels } from "#task-service/upkeep/unanswered-cancels.js";
import type { AnswerTo, ReadQuery } from "#task-service/store/read-query.js";
import type { NewTask } from "#task-service/store/task-record.js";
import { failed, reportBatch, sampleTask, started, succeeded } from "#test/conformance/task-store/sample-task.js";
import { DispatchBench } from "#test/support/dispatch-bench.js";
import { freezeProcess } from "#test/support/freeze-process.js";
import { until } from "#test/support/until.js";

const { queue: QUEUE, type: TYPE } = sampleTask();

describe("The dispatcher on a real NATS and a real store", function () {
  this.timeout(60_000);
  let bench: DispatchBench;

  beforeEach(async () => {
    bench = await DispatchBench.start();
  });
  afterEach(() => bench.stop());

  async function open(): Promise<void> {
    bench.dispatcher.open();
    await bench.hear("w", QUEUE, [TYPE]);
  }

  const create = (...tasks: NewTask[]) => bench.store.write({ kind: "create", tasks });

  /** A task whose dispatch JetStream was sent and did not confirm. */
  async function unconfirmedTask(): Promise<NewTask> {
    await freezeProcess(bench.nats.pid);
    const task = sampleTask();
    await create(task);
    await until("it was sent", () => (bench.window.get(task.id)?.sentAtMs ?? 0) > 0);
    await bench.nats.kill();
    await until("it is noticed", () => !bench.bus.connected);
    return task;
  }

  it("dispatches a task whose turn came while it was being read and held back, once it is let go", async () => {
    await open();
    const { dispatcher, store, window } = bench;
    const task = sampleTask();
    const held = new Promise<void>((resolve) => {
      store.onCommit(({ changes }) => {
        // The dispatcher heard of it first: when this turn is over, it has sent for the task and does not have it yet.
        if (changes.some(({ id }) => id === task.id))
          setImmediate(() => {
            expect(dispatcher.holdBack(task.id, 1), "may be with a worker").to.equal(null);
            resolve();
          });
      });
    });
    await create(task);
    await held;
    await until("it was read", () => !window.has(task.id));
    // The cancel could not be written.
    dispatcher.letGo(task.id, task.queue);
    await until("it is dispatched", () => bench.isInNats(task.id));
  });

  it("takes a task for one that may be with a worker when NATS did not say what became of its dispatch, and sends it again", async () => {
    await open();
    const task = await unconfirmedTask();
    expect(bench.dispatcher.holdBack(task.id, 1), "may be with a worker").to.equal(1);
    bench.dispatcher.letGo(task.id, task.queue);
    await bench.restartNats();
    await ensureStreams(bench.bus);
    await until("it is dispatched", () => bench.isInNats(task.id));
    expect(bench.window.get(task.id)).to.include({ round: 0 });
  });

  it("does not send such a one again whose cancel was asked for", async () => {
    await open();
    const task = await unconfirmedTask();
    const withWorker = bench.dispatcher.holdBack(task.id, 1);
    await bench.store.write({ kind: "requestCancel", id: task.id, reason: "", withWorker });
    bench.dispatcher.letGo(task.id, task.queue);
    expect(bench.window.get(task.id)).to.include({ isCancelRequested: true });
    await bench.restartNats();
    await ensureStreams(bench.bus);
    const taken = await bench.take(QUEUE);
    const after = sampleTask();
    await create(after);
    await until("one that was created after it was handed out", () => taken.length > 0);
    expect(taken.map(({ taskId }) => taskId)).to.deep.equal([after.id]);
  });

  it("ends a cancelled task at once whose attempt ended while the cancel was on its way", async () => {
    await open();
    const task = sampleTask({ maxAttempts: 5 });
    await create(task);
    await bench.store.write({ kind: "applyReports", batches: [reportBatch(task.id, [started])] });
    const withWorker = bench.dispatcher.holdBack(task.id, 1);
    expect(withWorker).to.equal(1);
    const end = reportBatch(task.id, [failed(0)], { firstNumber: 2 });
    await Promise.all([
      bench.store.write({ kind: "applyReports", batches: [end] }),
      bench.store.write({ kind: "requestCancel", id: task.id, reason: "", withWorker }),
    ]);
    bench.dispatcher.letGo(task.id, task.queue);
    const { state, attempt } = (await bench.store.read({ kind: "getTask", id: task.id, isFull: false })) ?? {};
    expect({ state, attempt }).to.deep.equal({ state: TaskState.CANCELLED, attempt: 1 });
  });

  it("dispatches suspects one after the other, past those whose type has no worker", async () => {
    bench.dispatcher.open();
    const [a, b, c] = ["a", "b", "c"].map((type, index) => sampleTask({ type, priority: -index, maxAttempts: 20 }));
    if (a === undefined || b === undefined || c === undefined) throw new Error("no tasks");
    await create(a, b, c);
    for (const { id } of [a, b, c]) for (const attempt of [1, 2]) await bench.loseWorker(id, attempt);
    await bench.hear("w", QUEUE, ["a", "b", "c"]);
    await until("the first is dispatched", () => bench.isInNats(a.id));
    await bench.hear("w", QUEUE, ["a", "c"]);
    expect(
      [b, c].map(({ id }) => bench.window.has(id)),
      "the others wait",
    ).to.deep.equal([false, false]);
    const done = reportBatch(a.id, [started, succeeded()], { attempt: 3 });
    await bench.store.write({ kind: "applyReports", batches: [done] });
    await until("the one that can run is dispatched", () => bench.isInNats(c.id));
    expect(bench.window.has(b.id)).to.equal(false);
  });

  it("looks after the dispatches of every queue, also when the consumer of another one is missing", async () => {
    bench.dispatcher.open();
    await bench.hear("w1", "qa", [TYPE]);
    await bench.hear("w2", "qb", [TYPE]);
    await bench.redispatcher.checkTopology();
    const [a, b] = [sampleTask({ queue: "qa" }), sampleTask({ queue: "qb" })];
    await create(a, b);
    await until("both are dispatched", () => bench.isInNats(a.id) && bench.isInNats(b.id));
    await bench.hear("w1", "qa", []);
    await bench.restartNats();
    bench.redispatcher.suspectTopology();
    await bench.lookAfterUntil("they are dispatched again", () => bench.isInNats(b.id));
    const { redispatchCount } = bench.dispatcher;
    const taken = await bench.take("qb");
    await until("a worker that says nothing is handed it", () => taken.length > 0);
    await bench.lookAfterUntil("it is dispatched again", () => bench.dispatcher.redispatchCount > redispatchCount);
  });

  it("gives the places of tasks up whose type has no worker any more, taken or not, and dispatches them when it has", async () => {
    bench.dispatcher.open();
    await bench.hear("w1", QUEUE, ["gone"]);
    await bench.redispatcher.checkTopology();
    const gone = Array.from({ length: 140 }, () => sampleTask({ type: "gone" }));
    await create(...gone);
    const inNats = () => gone.filter(({ id }) => bench.isInNats(id)).length;
    await until("the window is full", () => inNats() === 125);
    const taken = await bench.take(QUEUE);
    await until("a worker that says nothing has some", () => taken.length === 100);
    await bench.hear("w2", QUEUE, [TYPE]);
    await bench.hear("w1", QUEUE, []);
    const other = sampleTask();
    await create(other);
    expect(bench.window.has(other.id), "there is room").to.equal(false);
    await bench.lookAfterUntil("it is dispatched all the same", () => bench.isInNats(other.id));
    await bench.lookAfterUntil("nothing of the other type is", () => inNats() === 0);
    await bench.hear("w1", QUEUE, ["gone"]);
    await until("they are dispatched again", () => inNats() > 100);
    const again = new Set(taken.slice(100).map(({ taskId }) => taskId));
    expect(again.size, "nobody asked for more").to.equal(0);
    const more = await bench.take(QUEUE);
    await until("they are handed out again", () => more.length === 100);
  });

  it("takes a task that ended and was opened again in one commit for another round", async () => {
    await open();
    const task = sampleTask();
    await create(task);
    await until("it is dispatched", () => bench.isInNats(task.id));
    const entry = bench.window.get(task.id);
    await bench.store.write({ kind: "requestCancel", id: task.id, reason: "", withWorker: 1 });
    await Promise.all([
      bench.store.write({ kind: "endCancels", tasks: [{ id: task.id, attempt: 0, isUntaken: true }] }),
      bench.store.write({ kind: "reopen", id: task.id, sequence: null }),
    ]);
    await until("it is dispatched anew", () => bench.isInNats(task.id) && bench.window.get(task.id) !== entry);
  });

  it("ends cancels of before that nobody can have, round after round, but none of a task in the window", async () => {
    await open();
    const old = Array.from({ length: 900 }, () => sampleTask({ type: "nobody" }));
    const late = sampleTask();
    for (let at = 0; at < old.length; at += 300) await create(...old.slice(at, at + 300));
    await Promise.all(
      old.map(({ id }) => bench.store.write({ kind: "requestCancel", id, reason: "", withWorker: "any" })),
    );
    const { store, bus, window } = bench;
    const cancels = new UnansweredCancels({ store, bus, patienceMs: 1, isBehind: () => false, namedIds: () => [] });
    const ending = cancels.endUntaken(() => window.ids());
    await create(late);
    await until("it is dispatched", () => bench.isInNats(late.id));
    await store.write({ kind: "requestCancel", id: late.id, reason: "", withWorker: 1 });
    await ending;
    const stateOf = async (id: string) => (await store.read({ kind: "getTask", id, isFull: false }))?.state;
    expect(await stateOf(late.id)).to.equal(TaskState.PENDING);
    for (const { id } of old) expect(await stateOf(id)).to.equal(TaskState.CANCELLED);
  });

  it("forgets where dispatches were when the stream is another one", async () => {
    await open();
    await bench.redispatcher.checkTopology();
    expect(bench.redispatcher.isStreamKnown).to.equal(true);
    const old = sampleTask();
    await create(old);
    await until("it is dispatched", () => bench.isInNats(old.id));
    await bench.store.write({ kind: "applyReports", batches: [reportBatch(old.id, [started])] });
    await bench.restartNats();
    expect(bench.redispatcher.isStreamKnown).to.equal(false);
    await bench.redispatcher.checkTopology();
    expect(bench.redispatcher.isStreamKnown).to.equal(true);
    expect(bench.isInNats(old.id)).to.equal(false);
  });

  it("takes over no task that ends while it is read, and takes back dispatches that nobody wants", async () => {
    const [ended, cancelled, wanted] = [sampleTask(), sampleTask(), sampleTask()];
    await create(ended, cancelled, wanted);
    await bench.store.write({ kind: "requestCancel", id: cancelled.id, reason: "", withWorker: null });
    for (const { id: taskId } of [ended, cancelled, wanted]) {
      const dispatch = DispatchTask.fromPartial({ taskId, type: TYPE, queue: QUEUE, attempt: 1, payloadJson: "{}" });
      const body = DispatchTask.encode(dispatch).finish();
      await bench.publisher.publish(bench.bus.subjects.work(QUEUE), body, taskId);
    }
    const { bus, dispatcher, window, ring, logger } = bench;
    const overtaken = {
      // A commit is told before the answer that was read before it.
      read: async <Q extends ReadQuery>(query: Q): Promise<AnswerTo<Q>> => {
        const answer = await bench.store.read(query);
        const batches = [reportBatch(ended.id, [started, succeeded()])];
        await bench.store.write({ kind: "applyReports", batches });
        return answer;
      },
    };
    await adoptDispatches({ bus, store: overtaken, window, dispatcher, ring, logger });
    expect([ended, cancelled, wanted].map(({ id }) => bench.window.has(id))).to.deep.equal([false, false, true]);
    const taken = await bench.take(QUEUE);
    await until("the wanted one is handed out", () => taken.length > 0);
    expect(taken.map(({ taskId }) => taskId)).to.deep.equal([wanted.id]);
  });
});
