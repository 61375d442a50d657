import { expect } from "chai";
import { TaskState, TaskwireError, type Task } from "#libs/client/taskwire-client.js";
import { startFaultyStack, type FaultyStack } from "#test/faults/faulty-stack.js";
import { endOf, eventOf, expectWholeHistory, historyOf } from "#test/support/follow-task.js";
import { Gate } from "#test/support/gate.js";
import { logLines } from "#test/support/log-lines.js";
import { rejectionOf } from "#test/support/rejection-of.js";
import { until } from "#test/support/until.js";

/** How a database gets into a kind of trouble, and out of it. */
export interface Trouble {
  /** The reason that clients are told. */
  readonly reason: string;
  /** What the service says when it is started in this trouble. */
  readonly advice: RegExp;
  /** Whether a write waits for seconds until it is refused: the stop is then tried at the same time, with a stack of its own. */
  readonly isSlow?: boolean;
  begin(test: FaultyStack): void;
  /** Does nothing where it is over. */
  end(test: FaultyStack): void;
}

const BATCH = 100;
/** A type that nobody runs: its tasks stay PENDING. */
const NOBODYS = "nobody.runs-this";

/** It stops in order meanwhile, does not start, and says what to do. */
async function expectStopInOrder(test: FaultyStack, trouble: Trouble): Promise<void> {
  const { client, database, stack } = test;
  const before = await client.create("inline.echo", { text: "before the stop" });
  await endOf(client, before.id);
  trouble.begin(test);
  await stack.service.stop();
  const error = await rejectionOf(stack.service.start());
  expect(error.message).to.contain(database).and.to.match(trouble.advice);
  trouble.end(test);
  await stack.service.start();
  expect(await client.get(before.id)).to.deep.include({ state: TaskState.COMPLETED });
  expect(await test.findings()).to.equal("");
}

/** What holds whenever the database takes no writes but can be read; call it inside a `describe`. The tests build on each other. */
export function refusedWritesSuite(trouble: Trouble): void {
  let test: FaultyStack;
  let gate: Gate;
  let ended: Task;
  let waiting: Task;
  let running: Task;
  let stopTried: Promise<void> | undefined;

  before(async () => {
    if (trouble.isSlow === true) {
      stopTried = expectStopInOrderApart(trouble);
      // Its test tells.
      stopTried.catch(() => undefined);
    }
    test = await startFaultyStack();
    const { client } = test;
    gate = new Gate(test.dataDir, "trouble");
    ended = await client.create("inline.echo", { text: "before" });
    waiting = await client.create(NOBODYS);
    running = await client.create("flow.gate", gate.payload);
    await endOf(client, ended.id);
    await eventOf(client, running.id, "progress");
    trouble.begin(test);
  });
  after(async () => {
    await Promise.allSettled([stopTried]);
    await test?.stop();
  });

  const expectRefused = async (call: Promise<unknown>) => {
    const error = await rejectionOf(call);
    expect(error).to.be.instanceOf(TaskwireError);
    expect(error).to.include({ code: "UNAVAILABLE", reason: trouble.reason });
    expect(error).to.have.property("retryAfterMs").that.is.greaterThan(0);
  };

  it(`refuses every write with UNAVAILABLE (${trouble.reason}) and when to try again`, async () => {
    const { impatient } = test;
    await Promise.all([
      expectRefused(impatient.create(NOBODYS)),
      expectRefused(impatient.createMany(Array.from({ length: BATCH }, () => ({ type: NOBODYS })))),
      expectRefused(impatient.cancel(waiting.id)),
    ]);
  });

  it("says NOT_SERVING", () => test.untilServing(false));

  it("answers reads: tasks, lists, histories", async () => {
    const { impatient } = test;
    expect(await impatient.get(ended.id)).to.deep.include({ state: TaskState.COMPLETED, result: { text: "before" } });
    expect((await impatient.listPage({ types: [NOBODYS] })).tasks.map(({ id }) => id)).to.deep.equal([waiting.id]);
    expectWholeHistory(await historyOf(impatient, ended.id));
  });

  it("keeps the result of a task that ends meanwhile, and a create that is tried again, until it is over", async () => {
    const { client, impatient } = test;
    const watch = historyOf(client, running.id, 60_000);
    gate.open();
    await until("the attempt has finished", () =>
      logLines(test.dataDir, "worker-1").some(
        ({ msg, ...line }) => msg === "attempt finished" && line["taskId"] === running.id,
      ),
    );
    const patient = client.create("inline.echo", { text: "patient" });
    await until(
      "its reports have been refused",
      () =>
        logLines(test.dataDir, "task-service").some(({ msg }) => msg === "reports could not be applied, trying again"),
      30_000,
    );
    expect((await impatient.get(running.id)).state).to.equal(TaskState.RUNNING);
    trouble.end(test);
    expectWholeHistory(await watch);
    expect(await client.get(running.id)).to.deep.include({
      state: TaskState.COMPLETED,
      attempt: 1,
      result: { attempt: 1 },
    });
    expect((await endOf(client, (await patient).id)).state).to.equal(TaskState.COMPLETED);
  });

  it("takes writes again by itself, and nothing is left of what was refused", async () => {
    const { client, impatient } = test;
    await test.untilServing(true);
    expect((await impatient.listPage({ types: [NOBODYS] })).tasks.map(({ id }) => id)).to.deep.equal([waiting.id]);
    expect((await impatient.get(waiting.id)).state).to.equal(TaskState.PENDING);
    expect(await client.run("inline.echo", { text: "after" })).to.deep.equal({ text: "after" });
    expect((await impatient.cancel(waiting.id)).state).to.equal(TaskState.CANCELLED);
    expect(await test.findings()).to.equal("");
  });

  it("stops in order meanwhile, does not start, and says what to do", () =>
    stopTried ?? expectStopInOrder(test, trouble));
}

async function expectStopInOrderApart(trouble: Trouble): Promise<void> {
  const apart = await startFaultyStack();
  try {
    await expectStopInOrder(apart, trouble);
  } finally {
    trouble.end(apart);
    await apart.stop();
  }
}
