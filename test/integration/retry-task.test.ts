import { expect } from "chai";
import { AttemptOutcome, TaskState, type Task, type TaskEvent } from "#libs/client/taskwire-client.js";
import { fixturePath } from "#test/fixtures/tasks/fixture-path.js";
import { endOf, eventOf, historyOf, kindsOf, valuesOf } from "#test/support/follow-task.js";
import { Gate } from "#test/support/gate.js";
import { rejectionOf } from "#test/support/rejection-of.js";
import { startTestStack, type TestStack } from "#test/support/test-stack.js";

/** Nobody has this type, so its tasks wait. */
const NOBODYS = "nobody.home";
const UNKNOWN = "01900000-0000-7000-8000-000000000000";
/** Longer than any test: what is not dispatched when it is opened again is not dispatched at all. */
const REDISPATCH_MS = "3600000";

describe("RetryTask opens a finished task again and keeps its history", function () {
  this.timeout(60_000);
  let test: TestStack;
  let gates = 0;

  before(async () => {
    const modules = ["retry-tasks.js", "flow-tasks.js"].flatMap((file) => ["--tasks", fixturePath(file)]);
    test = await startTestStack({
      workerArgs: modules,
      workerEnv: { TASKWIRE_SLOTS: "2", TASKWIRE_CANCEL_GRACE_MS: "500" },
      serviceEnv: { TASKWIRE_REDISPATCH_MS: REDISPATCH_MS },
    });
  });
  after(() => test?.stop());

  const newGate = () => new Gate(test.dataDir, `retry-${++gates}`);

  /** A waiting task that was cancelled before anybody could take it. */
  async function cancelledTask(): Promise<Task> {
    const { id } = await test.client.create(NOBODYS);
    const task = await test.client.cancel(id, "sent by mistake");
    expect(task.state).to.equal(TaskState.CANCELLED);
    return task;
  }

  async function outcomesOf(id: string): Promise<string[]> {
    const outcomes: string[] = [];
    for await (const { number, outcome, error } of test.client.attempts(id, { pageSize: 2 }))
      outcomes.push(`${number} ${AttemptOutcome[outcome]} ${error?.code ?? ""}`.trim());
    return outcomes;
  }

  const expectNoGap = (events: readonly TaskEvent[]) =>
    expect(events.map(({ sequence }) => sequence)).to.deep.equal(events.map((_event, index) => index + 1));

  it("runs a FAILED task for a new round of attempts, which go on being numbered", async () => {
    const { client } = test;
    const gate = newGate();
    const { id } = await client.create("retry.mended", gate.payload, { maxAttempts: 2 });
    expect(await endOf(client, id)).to.include({ state: TaskState.FAILED, attempt: 2 });
    await client.retry(id);
    expect(await endOf(client, id)).to.include({ state: TaskState.FAILED, attempt: 4 });
    gate.open();
    await client.retry(id);
    const events = await historyOf(client, id);
    expectNoGap(events);
    expect(kindsOf(events)).to.deep.equal([
      ...["created", "started", "retryScheduled", "started", "failed"],
      ...["reopened", "started", "retryScheduled", "started", "failed"],
      ...["reopened", "started", "completed"],
    ]);
    const task = await client.get(id);
    expect(task).to.deep.include({ state: TaskState.COMPLETED, attempt: 5, result: { attempt: 5 }, error: undefined });
    expect(await outcomesOf(id)).to.deep.equal([
      ...[1, 2, 3, 4].map((number) => `${number} FAILED HANDLER_ERROR`),
      "5 SUCCEEDED",
    ]);
  });

  it("answers with the task as it waits: due now, with its error, without its cancel", async () => {
    const cancelled = await cancelledTask();
    const task = await test.client.retry(cancelled.id);
    expect(task).to.include({ state: TaskState.PENDING, attempt: 0, sequence: cancelled.sequence + 1 });
    expect(task).to.include({ endTime: undefined, cancelRequestTime: undefined });
    expect(task.error).to.include({ code: "CANCELLED", message: "sent by mistake" });
    const { value } = await eventOf(test.client, task.id, "reopened");
    expect(value.runTime).to.deep.equal(task.runTime);
    expect(task.runTime?.getTime()).to.be.at.least(cancelled.endTime?.getTime() ?? Infinity);
  });

  it("is heard by who watches from the first event, from a snapshot, and from before it was opened", async () => {
    const { client } = test;
    const { id, sequence } = await cancelledTask();
    await client.retry(id);
    await client.cancel(id);
    const kindsFrom = async (afterSequence: number | undefined) => {
      const seen: (string | undefined)[] = [];
      for await (const frame of client.watch(id, afterSequence === undefined ? {} : { afterSequence }))
        seen.push(frame.kind === "snapshot" ? TaskState[frame.task.state] : frame.event.kind?.$case);
      return seen;
    };
    const cancel = ["cancelRequested", "cancelled"];
    expect(await kindsFrom(0)).to.deep.equal(["created", ...cancel, "reopened", ...cancel]);
    expect(await kindsFrom(sequence)).to.deep.equal(["reopened", ...cancel]);
    expect(await kindsFrom(undefined)).to.deep.equal(["CANCELLED"]);
  });

  describe("runs a cancelled task at once, though its next attempt may have been in NATS before", () => {
    it("when it was cancelled while it ran", async () => {
      const { client } = test;
      const gate = newGate();
      const { id } = await client.create("flow.gate", gate.payload);
      for (const attempt of [1, 2, 3]) {
        await eventOf(client, id, "started");
        await client.cancel(id);
        expect(await endOf(client, id)).to.include({ state: TaskState.CANCELLED, attempt });
        if (attempt === 3) gate.open();
        await client.retry(id);
        // The next round has begun when it has started, which `attempt` tells.
        for await (const frame of client.watch(id, { afterSequence: 0 }))
          if (frame.kind === "event" && frame.event.attempt === attempt + 1) break;
      }
      expect(await endOf(client, id)).to.deep.include({ state: TaskState.COMPLETED, result: { attempt: 4 } });
      expect(await outcomesOf(id)).to.deep.equal([
        ...[1, 2, 3].map((number) => `${number} CANCELLED CANCELLED`),
        "4 SUCCEEDED",
      ]);
    });

    it("when it was cancelled in NATS, before a worker had a slot for it", async () => {
      const { client } = test;
      const blocking = newGate();
      const free = newGate();
      free.open();
      const running = await Promise.all([1, 2].map(() => client.create("flow.gate", blocking.payload)));
      await Promise.all(running.map(({ id }) => eventOf(client, id, "started")));
      const { id } = await client.create("flow.gate", free.payload);
      for (const round of [1, 2, 3]) {
        await client.cancel(id);
        const events = await historyOf(client, id);
        expect(valuesOf(events, "cancelled"), "cancelled at once").to.have.lengthOf(round);
        expect(await client.retry(id)).to.include({ state: TaskState.PENDING, attempt: 0 });
      }
      blocking.open();
      expect(await endOf(client, id)).to.deep.include({ state: TaskState.COMPLETED, result: { attempt: 1 } });
      expect(await outcomesOf(id)).to.deep.equal(["1 SUCCEEDED"]);
    });
  });

  it("opens a task once for one sequence", async () => {
    const { client } = test;
    const { id, sequence } = await cancelledTask();
    const changed = { code: "ABORTED", reason: "TASK_CHANGED" };
    expect(await rejectionOf(client.retry(id, { sequence: sequence - 1 }))).to.include(changed);
    expect(await rejectionOf(client.retry(id, { sequence: sequence + 1 }))).to.include(changed);
    expect(await rejectionOf(client.retry(id, { sequence: 0 }))).to.include(changed);
    expect((await client.get(id)).sequence, "nothing has changed").to.equal(sequence);
    expect(await client.retry(id, { sequence })).to.include({ state: TaskState.PENDING });
    expect(await rejectionOf(client.retry(id, { sequence })), "a repeated call").to.include(changed);
    await client.cancel(id);
    expect(await rejectionOf(client.retry(id, { sequence })), "a late repeated call").to.include(changed);
  });

  it("refuses a task that waits, runs or has completed, and changes nothing", async () => {
    const { client } = test;
    const gate = newGate();
    const waiting = await client.create(NOBODYS);
    const running = await client.create("flow.gate", gate.payload);
    await eventOf(client, running.id, "progress");
    for (const id of [waiting.id, running.id]) {
      const { sequence } = await client.get(id);
      const refused = { code: "FAILED_PRECONDITION", reason: "TASK_NOT_FINISHED" };
      expect(await rejectionOf(client.retry(id))).to.include(refused);
      expect(await rejectionOf(client.retry(id, { sequence }))).to.include(refused);
      expect((await client.get(id)).sequence).to.equal(sequence);
    }
    gate.open();
    const completed = await endOf(client, running.id);
    const refused = { code: "FAILED_PRECONDITION", reason: "TASK_COMPLETED" };
    expect(await rejectionOf(client.retry(running.id))).to.include(refused);
    expect(await client.get(running.id)).to.deep.equal(completed);
  });

  it("refuses what is no task and what is no sequence", async () => {
    const { client } = test;
    expect(await rejectionOf(client.retry(UNKNOWN))).to.include({ code: "NOT_FOUND", reason: "TASK_NOT_FOUND" });
    const attempts = client.attempts(UNKNOWN)[Symbol.asyncIterator]();
    expect(await rejectionOf(attempts.next())).to.include({ code: "NOT_FOUND", reason: "TASK_NOT_FOUND" });
    const violated = async (call: Promise<unknown>) =>
      ((await rejectionOf(call)) as Error & { violations: { field: string }[] }).violations.map(({ field }) => field);
    expect(await violated(client.retry("x", { sequence: -1 }))).to.have.members(["id", "sequence"]);
    expect(await violated(client.attempts("x", { pageSize: -1 }).next())).to.have.members(["id", "page_size"]);
  });

  it("lets a total timeout begin anew", async () => {
    const { client } = test;
    const totalTimeoutMs = 250;
    const { id } = await client.create(NOBODYS, {}, { totalTimeoutMs });
    const timedOut = await endOf(client, id);
    expect(timedOut)
      .to.include({ state: TaskState.FAILED, attempt: 0 })
      .and.to.have.nested.property("error.code", "TOTAL_TIMEOUT");
    const { deadlineTime, runTime } = await client.retry(id);
    expect((deadlineTime?.getTime() ?? 0) - (runTime?.getTime() ?? 0)).to.equal(totalTimeoutMs);
    expect(deadlineTime?.getTime()).to.be.above(timedOut.deadlineTime?.getTime() ?? Infinity);
    const events = await historyOf(client, id);
    expect(kindsOf(events)).to.deep.equal(["created", "failed", "reopened", "failed"]);
  });
});
