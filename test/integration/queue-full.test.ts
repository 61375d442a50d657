import { expect } from "chai";
import { TaskState, TaskwireClient } from "#libs/client/taskwire-client.js";
import { fixturePath } from "#test/fixtures/tasks/fixture-path.js";
import { endOf, eventOf } from "#test/support/follow-task.js";
import { Gate } from "#test/support/gate.js";
import { rejectionOf } from "#test/support/rejection-of.js";
import { startTestStack, type TestStack } from "#test/support/test-stack.js";

const CAPACITY = 5;
/** Nobody has this type, so its tasks wait. */
const NOBODYS = "nobody.home";

describe("A full queue refuses new tasks until some have ended (Bounded)", function () {
  this.timeout(60_000);
  let test: TestStack;
  /** Sends every create as CreateTask. */
  let single: TaskwireClient;
  let queues = 0;

  before(async () => {
    test = await startTestStack({
      workerArgs: ["--tasks", fixturePath("flow-tasks.js")],
      serviceEnv: { TASKWIRE_QUEUE_CAPACITY: String(CAPACITY) },
    });
    single = new TaskwireClient({ address: test.address, batching: false });
  });
  after(async () => {
    single?.close();
    await test?.stop();
  });

  /** A queue with so many waiting tasks. */
  async function queueWith(count: number): Promise<{ readonly queue: string; readonly ids: string[] }> {
    const queue = `queue-${++queues}`;
    const tasks = await Promise.all(Array.from({ length: count }, () => single.create(NOBODYS, {}, { queue })));
    return { queue, ids: tasks.map(({ id }) => id) };
  }

  async function unfinishedOf(queue: string): Promise<number> {
    let count = 0;
    for await (const task of single.list({ queues: [queue], states: [TaskState.PENDING, TaskState.RUNNING] }))
      if (task.queue === queue) count += 1;
    return count;
  }

  async function expectFull(queue: string, refused: Promise<unknown>): Promise<void> {
    const error = await rejectionOf(refused);
    expect(error).to.include({ code: "RESOURCE_EXHAUSTED", reason: "QUEUE_FULL", retryAfterMs: 1000 });
    expect(error).to.have.deep.property("metadata", { queue });
  }

  it("takes tasks below and at its capacity and refuses the one above it, with RetryInfo and ErrorInfo", async () => {
    const { queue } = await queueWith(CAPACITY - 1);
    await single.create(NOBODYS, {}, { queue });
    await expectFull(queue, single.create(NOBODYS, {}, { queue }));
    expect(await unfinishedOf(queue)).to.equal(CAPACITY);
  });

  it("takes a batch that just fits and refuses a larger one as a whole", async () => {
    const { queue } = await queueWith(2);
    const tasks = (count: number) => Array.from({ length: count }, () => ({ type: NOBODYS, queue }));
    await expectFull(queue, single.createMany(tasks(CAPACITY - 1)));
    const mixed = [...tasks(CAPACITY - 1), { type: NOBODYS, queue: `${queue}-other` }];
    await expectFull(queue, single.createMany(mixed));
    expect([await unfinishedOf(queue), await unfinishedOf(`${queue}-other`)]).to.deep.equal([2, 0]);
    await single.createMany(tasks(CAPACITY - 2));
    expect(await unfinishedOf(queue)).to.equal(CAPACITY);
  });

  it("leaves other queues alone", async () => {
    const { queue } = await queueWith(CAPACITY);
    await expectFull(queue, single.create(NOBODYS, {}, { queue }));
    await queueWith(CAPACITY);
  });

  it("gives a client that creates many at once as many as there is room for", async () => {
    const { queue } = await queueWith(1);
    const made = await Promise.allSettled(Array.from({ length: 8 }, () => test.client.create(NOBODYS, {}, { queue })));
    expect(made.map(({ status }) => status)).to.deep.equal([
      ...Array.from({ length: CAPACITY - 1 }, () => "fulfilled"),
      ...Array.from({ length: 9 - CAPACITY }, () => "rejected"),
    ]);
    expect(await unfinishedOf(queue)).to.equal(CAPACITY);
  });

  it("answers a repeated create of a task it has with that task", async () => {
    const { queue } = await queueWith(CAPACITY - 1);
    const create = () => single.create(NOBODYS, {}, { queue, requestId: queue });
    const { id } = await create();
    await expectFull(queue, single.create(NOBODYS, {}, { queue }));
    expect(await create()).to.include({ id });
  });

  it("has room again after a task was cancelled, and after one has completed", async () => {
    const { queue, ids } = await queueWith(CAPACITY);
    await single.cancel(ids[0] ?? "");
    await single.create(NOBODYS, {}, { queue });
    await expectFull(queue, single.create(NOBODYS, {}, { queue }));

    const gate = new Gate(test.dataDir, "room");
    const running = await Promise.all(Array.from({ length: CAPACITY }, () => single.create("flow.gate", gate.payload)));
    await eventOf(single, running[0]?.id ?? "", "started");
    await expectFull("default", single.create("flow.gate", gate.payload));
    gate.open();
    for (const { id } of running) expect(await endOf(single, id)).to.include({ state: TaskState.COMPLETED });
    expect(await single.run("flow.gate", gate.payload)).to.deep.equal({ attempt: 1 });
  });

  it("does not open a finished task again while it is full, and does afterwards", async () => {
    const { queue, ids } = await queueWith(CAPACITY);
    const [first = "", second = ""] = ids;
    await single.cancel(first);
    await single.create(NOBODYS, {}, { queue });
    await expectFull(queue, single.retry(first));
    expect(await single.get(first)).to.include({ state: TaskState.CANCELLED });
    await single.cancel(second);
    expect(await single.retry(first)).to.include({ state: TaskState.PENDING });
    await expectFull(queue, single.retry(second));
  });

  it("is as full after a restart of the service as before", async () => {
    const { queue, ids } = await queueWith(CAPACITY);
    await test.stack.service.kill();
    await test.stack.service.start();
    await expectFull(queue, single.create(NOBODYS, {}, { queue }));
    await single.cancel(ids[0] ?? "");
    // So soon after a restart it may take a moment until it is known that no worker has it.
    await endOf(single, ids[0] ?? "");
    await single.create(NOBODYS, {}, { queue });
    await expectFull(queue, single.create(NOBODYS, {}, { queue }));
  });
});
