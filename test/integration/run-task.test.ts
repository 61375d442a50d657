import { expect } from "chai";
import { runTask } from "#libs/client/service-methods.js";
import { TaskState, type TaskwireError } from "#libs/client/taskwire-client.js";
import { Task } from "#libs/proto/gen/taskwire/v1/task.js";
import { TaskCancelled_Phase as Phase } from "#libs/proto/gen/taskwire/v1/task_event.js";
import type { RunTaskRequest, RunTaskResponse } from "#libs/proto/gen/taskwire/v1/task_service.js";
import { Channel } from "#libs/rpc/channel.js";
import { fixturePath } from "#test/fixtures/tasks/fixture-path.js";
import { endOf, expectWholeHistory, historyOf, kindsOf, valuesOf } from "#test/support/follow-task.js";
import { Gate } from "#test/support/gate.js";
import { rejectionOf } from "#test/support/rejection-of.js";
import { startTestStack, type TestStack } from "#test/support/test-stack.js";
import { until } from "#test/support/until.js";

/** Nobody has this type, so its tasks wait. */
const NOBODYS = "nobody.home";
const SECOND = { seconds: 1, nanos: 0 };

describe("RunTask creates and watches in one call", function () {
  this.timeout(60_000);
  let test: TestStack;
  let channel: Channel;
  let gates = 0;

  before(async () => {
    test = await startTestStack({ workerArgs: ["--tasks", fixturePath("flow-tasks.js")] });
    channel = new Channel({ address: test.address });
  });
  after(async () => {
    channel?.close();
    await test?.stop();
  });

  const newGate = () => new Gate(test.dataDir, `run-${++gates}`);
  const taskOf = (type: string, more: Partial<Task> = {}) => Task.fromPartial({ type, ...more });
  const run = (request: Partial<RunTaskRequest>, signal = AbortSignal.timeout(30_000)) =>
    channel.serverStream(
      runTask,
      { task: undefined, requestId: "", afterSequence: undefined, view: 0, ...request },
      { signal },
    );

  async function framesOf(request: Partial<RunTaskRequest>): Promise<RunTaskResponse[]> {
    const frames: RunTaskResponse[] = [];
    for await (const frame of run(request)) frames.push(frame);
    return frames;
  }

  /** Attaches a stream; resolves with its task once it is there, and with how to leave. */
  async function attach(request: Partial<RunTaskRequest>): Promise<{ id: string; leave: () => Promise<void> }> {
    const abort = new AbortController();
    const stream = run(request, abort.signal);
    const first = await stream.next();
    const reading = stream.next().catch(() => undefined);
    const leave = async () => {
      abort.abort();
      await reading;
    };
    return { id: first.value?.task?.id ?? "", leave };
  }

  it("tells the accepted task first, then every event to the terminal one, and ends", async () => {
    const [first, ...rest] = await framesOf({ task: taskOf("flow.count", { payload: { to: 3 } }) });
    expect(first?.task).to.include({ type: "flow.count", state: TaskState.PENDING, sequence: 1 });
    expect(first?.task?.payload, "BASIC").to.equal(undefined);
    const events = rest.flatMap((frame) => frame.events);
    const whole = await historyOf(test.client, first?.task?.id ?? "");
    expectWholeHistory(whole);
    expect(events).to.deep.equal(whole.slice(1));
    expect(kindsOf(events).at(-1)).to.equal("completed");
  });

  it("goes on with the same task for the same request id, from a snapshot or after a cursor, and makes no second one", async () => {
    const request = {
      task: taskOf("flow.count", { payload: { to: 2 }, labels: { run: "again" } }),
      requestId: "run-again",
    };
    const [first] = await framesOf(request);
    const { id = "" } = first?.task ?? {};
    const again = await framesOf({ ...request, view: 2 });
    expect(again).to.have.lengthOf(1);
    expect(again[0]?.task).to.deep.include({ id, state: TaskState.COMPLETED, payload: { to: 2 } });
    const whole = await historyOf(test.client, id);
    for (const afterSequence of [0, 2, whole.length]) {
      const [task, ...rest] = await framesOf({ ...request, afterSequence });
      expect(task?.task?.id).to.equal(id);
      expect(rest.flatMap(({ events }) => events)).to.deep.equal(whole.slice(afterSequence));
    }
    const { tasks } = await test.client.listPage({ labels: { run: "again" } });
    expect(tasks.map((task) => task.id)).to.deep.equal([id]);
  });

  it("refuses what cannot be, names all of it, and creates nothing", async () => {
    const refusal = async (request: Partial<RunTaskRequest>) => (await rejectionOf(framesOf(request))) as TaskwireError;
    const bad = await refusal({
      task: taskOf("NO TYPE", { cancelUnwatchedAfter: { seconds: 0, nanos: 1 } }),
      afterSequence: -1,
    });
    expect(bad.code).to.equal("INVALID_ARGUMENT");
    expect(bad.violations?.map(({ field }) => field)).to.have.members([
      "after_sequence",
      "request_id",
      "task.type",
      "task.cancel_unwatched_after",
    ]);
    const unknown = {
      task: taskOf(NOBODYS, { labels: { run: "unknown" } }),
      requestId: "never-made",
      afterSequence: 1,
    };
    expect(await refusal(unknown)).to.include({ code: "NOT_FOUND", reason: "TASK_NOT_FOUND" });
    expect((await test.client.listPage({ labels: { run: "unknown" } })).tasks).to.deep.equal([]);
    await test.client.create(NOBODYS, {}, { requestId: "made-once" });
    const reused = { task: taskOf(NOBODYS, { priority: 1 }), requestId: "made-once" };
    expect(await refusal(reused)).to.include({ code: "ALREADY_EXISTS", reason: "REQUEST_ID_REUSED" });
    const ahead = { task: taskOf(NOBODYS), requestId: "made-once", afterSequence: 99 };
    expect(await refusal(ahead)).to.include({ code: "OUT_OF_RANGE", reason: "CURSOR_AHEAD" });
  });

  it("goes on through a kill of the service, without a second task (Resumable)", async () => {
    const gate = newGate();
    const seen: number[] = [];
    const running = test.client.run("flow.gate", gate.payload, {
      labels: { run: "killed" },
      onEvent: ({ sequence }) => seen.push(sequence),
    });
    await until("it runs", () => seen.length > 0);
    await test.stack.service.kill();
    await test.stack.service.start();
    gate.open();
    expect(await running).to.deep.equal({ attempt: 1 });
    const { tasks } = await test.client.listPage({ labels: { run: "killed" } });
    expect(tasks).to.have.lengthOf(1);
    const events = await historyOf(test.client, tasks[0]?.id ?? "");
    expect(seen).to.deep.equal(events.slice(1).map(({ sequence }) => sequence));
  });

  describe("and cancels a task that nobody watches any more, where that was asked for", () => {
    it("after the last stream has gone for so long, not before", async () => {
      const gate = newGate();
      const task = taskOf("flow.gate", { payload: gate.payload, cancelUnwatchedAfter: SECOND });
      const request = { task, requestId: "unwatched" };
      const one = await attach(request);
      const other = await attach(request);
      expect(other.id).to.equal(one.id);
      await one.leave();
      const leftMs = Date.now();
      await until("the time has passed", () => Date.now() > leftMs + 2500);
      expect((await test.client.get(one.id)).cancelRequestTime, "one still watches").to.equal(undefined);
      await other.leave();
      const ended = await endOf(test.client, one.id);
      expect(ended).to.include({ state: TaskState.CANCELLED });
      expect(ended.error).to.include({ code: "CANCELLED", message: "nobody watched it any more" });
      const [cancelled] = valuesOf(await historyOf(test.client, one.id), "cancelled");
      expect(cancelled).to.include({ phase: Phase.COOPERATIVE });
    });

    it("also one that nobody ever watched, and one whose watcher did not come back after a restart", async () => {
      const { id } = await test.client.create(NOBODYS, {}, { cancelUnwatchedAfterMs: 1000 });
      expect((await test.client.get(id)).cancelUnwatchedAfter).to.deep.equal(SECOND);
      expect(await endOf(test.client, id)).to.include({ state: TaskState.CANCELLED });
      const run = await attach({ task: taskOf(NOBODYS, { cancelUnwatchedAfter: SECOND }), requestId: "restarted" });
      await test.stack.service.kill();
      await run.leave();
      await test.stack.service.start();
      expect(await endOf(test.client, run.id)).to.include({ state: TaskState.CANCELLED });
    });

    it("no other", async () => {
      const run = await attach({ task: taskOf(NOBODYS), requestId: "left-alone" });
      await run.leave();
      const { id } = await test.client.create(NOBODYS, {}, { cancelUnwatchedAfterMs: 1000 });
      await endOf(test.client, id);
      expect(await test.client.get(run.id)).to.include({ state: TaskState.PENDING, cancelRequestTime: undefined });
    });
  });
});
