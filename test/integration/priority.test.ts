import { expect } from "chai";
import { TaskState, type Task } from "#libs/client/taskwire-client.js";
import { fixturePath } from "#test/fixtures/tasks/fixture-path.js";
import { endOf, eventOf, historyOf } from "#test/support/follow-task.js";
import { Gate } from "#test/support/gate.js";
import { startTestStack, type TestStack } from "#test/support/test-stack.js";

/** Tasks that may be with NATS already when a task of higher priority comes: the dispatcher's headroom. */
const HEADROOM = 2;
const DELAY_SLACK_MS = 1500;

describe("Priority and due time", function () {
  this.timeout(60_000);
  let test: TestStack;

  before(async () => {
    test = await startTestStack({
      workerArgs: ["--tasks", fixturePath("flow-tasks.js"), "--tasks", fixturePath("inline-tasks.js")],
      workerEnv: { TASKWIRE_SLOTS: "1" },
    });
  });
  after(() => test?.stop());

  /** Takes the worker's only slot until the gate opens. */
  async function busy(name: string): Promise<Gate> {
    const gate = new Gate(test.dataDir, name);
    const { id } = await test.client.create("flow.gate", gate.payload);
    await eventOf(test.client, id, "started");
    return gate;
  }

  /** Creates tasks one after the other. */
  async function created(count: number, priority: number): Promise<Task[]> {
    const tasks: Task[] = [];
    for (let number = 0; number < count; number += 1) {
      tasks.push(await test.client.create("inline.echo", { number }, { priority }));
    }
    return tasks;
  }

  /** The ids in the order in which the tasks were started. */
  async function startOrder(tasks: readonly Task[]): Promise<string[]> {
    const starts = await Promise.all(tasks.map(({ id }) => eventOf(test.client, id, "started")));
    return starts
      .map(({ event }) => event)
      .sort((a, b) => a.revision - b.revision)
      .map(({ taskId }) => taskId);
  }

  it("a later task of higher priority runs before those that wait", async () => {
    const gate = await busy("priority");
    const low = await created(20, 0);
    const lowest = await created(3, -100);
    const high = await created(3, 100);
    gate.open();
    const order = await startOrder([...low, ...lowest, ...high]);
    const place = ({ id }: Task) => order.indexOf(id);
    expect(high.map(place)).to.deep.equal(high.map((_task, index) => HEADROOM + index));
    expect(low.map(place)).to.deep.equal(low.map((_task, index) => (index < HEADROOM ? index : index + high.length)));
    expect(lowest.map(place)).to.deep.equal(lowest.map((_task, index) => low.length + high.length + index));
  });

  it("a type that no worker runs waits and does not block others, and runs when a worker comes", async () => {
    const { client, stack } = test;
    const stranger = await client.create("process.echo", { hello: 1 }, { priority: 100 });
    for (const { id } of await created(5, 0)) expect((await endOf(client, id)).state).to.equal(TaskState.COMPLETED);
    expect((await client.get(stranger.id)).state).to.equal(TaskState.PENDING);
    const worker = await stack.addWorker({ args: ["--tasks", fixturePath("process-tasks.js")] });
    expect(await endOf(client, stranger.id)).to.deep.include({ state: TaskState.COMPLETED, result: { hello: 1 } });
    await worker.stop();
  });

  it("a queue that nobody serves waits and does not block others", async () => {
    const { client } = test;
    const elsewhere = await client.create("inline.echo", {}, { queue: "elsewhere", priority: 100 });
    for (const { id } of await created(5, 0)) expect((await endOf(client, id)).state).to.equal(TaskState.COMPLETED);
    expect((await client.get(elsewhere.id)).state).to.equal(TaskState.PENDING);
  });

  it("a delayed task runs not before its time, and soon after", async () => {
    const { client } = test;
    const runTime = new Date(Date.now() + 1200);
    const delayed = await client.create("inline.echo", {}, { runTime, priority: 100 });
    const atOnce = await client.create("inline.echo");
    expect((await endOf(client, atOnce.id)).startTime?.getTime()).to.be.below(runTime.getTime());
    expect(await client.get(delayed.id)).to.deep.include({ state: TaskState.PENDING, attempt: 0, runTime });
    const started = (await historyOf(client, delayed.id)).find(({ kind }) => kind?.$case === "started");
    expect(started?.time?.getTime()).to.be.within(runTime.getTime(), runTime.getTime() + DELAY_SLACK_MS);
  });
});
