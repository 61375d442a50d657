import { expect } from "chai";
import { TaskState, TaskwireClient, type Task } from "#libs/client/taskwire-client.js";
import { rejectionOf } from "#test/support/rejection-of.js";
import { startTestStack, type TestStack } from "#test/support/test-stack.js";

const TYPE = "idempotency.nobody-runs-it";
const REUSED = { code: "ALREADY_EXISTS", reason: "REQUEST_ID_REUSED" };

describe("Idempotency", function () {
  this.timeout(30_000);
  let test: TestStack;
  let client: TaskwireClient;

  before(async () => {
    test = await startTestStack({ workers: 0, client: { batching: false } });
    ({ client } = test);
  });
  after(() => test?.stop());

  async function tasksOf(story: string): Promise<Task[]> {
    const tasks: Task[] = [];
    for await (const task of client.list({ labels: { story }, orderBy: "create_time" })) tasks.push(task);
    return tasks;
  }

  it("the same request_id with the same body returns the first task", async () => {
    const options = { requestId: "same-body", labels: { story: "same" }, priority: 3 };
    const first = await client.create(TYPE, { number: 1 }, options);
    const again = await client.create(TYPE, { number: 1 }, options);
    expect(again).to.deep.equal(await client.get(first.id));
    expect(again.id).to.equal(first.id);
    expect(await tasksOf("same")).to.have.lengthOf(1);
  });

  it("makes one task of many creates at the same moment, whether they travel as a batch or alone", async () => {
    const batching = new TaskwireClient({ address: test.address });
    try {
      const options = { requestId: "all-at-once", labels: { story: "race" } };
      const creates = [client, batching].flatMap((sender) =>
        Array.from({ length: 25 }, () => sender.create(TYPE, { number: 1 }, options)),
      );
      expect(new Set((await Promise.all(creates)).map(({ id }) => id)).size).to.equal(1);
      expect(await tasksOf("race")).to.have.lengthOf(1);
    } finally {
      batching.close();
    }
  });

  it("the same request_id with another body is ALREADY_EXISTS, and changes nothing", async () => {
    const options = { requestId: "other-body", labels: { story: "other" } };
    const first = await client.create(TYPE, { number: 1 }, options);
    const others = [
      () => client.create(TYPE, { number: 2 }, options),
      () => client.create(`${TYPE}.either`, { number: 1 }, options),
      () => client.create(TYPE, { number: 1 }, { ...options, priority: 1 }),
      () => client.create(TYPE, { number: 1 }, { ...options, labels: { story: "other", more: "1" } }),
      () => client.create(TYPE, { number: 1 }, { ...options, maxAttempts: 2 }),
      () => client.create(TYPE, { number: 1 }, { ...options, runTime: new Date(Date.now() + 60_000) }),
    ];
    for (const other of others) expect(await rejectionOf(other())).to.include(REUSED);
    expect(await tasksOf("other")).to.have.lengthOf(1);
    expect((await client.get(first.id)).payload).to.deep.equal({ number: 1 });
  });

  it("the order of the payload's keys does not matter", async () => {
    const first = await client.create(TYPE, { a: 1, b: { c: [1, 2], d: "x" } }, { requestId: "key-order" });
    const again = await client.create(TYPE, { b: { d: "x", c: [1, 2] }, a: 1 }, { requestId: "key-order" });
    expect(again.id).to.equal(first.id);
    const otherArray = client.create(TYPE, { a: 1, b: { c: [2, 1], d: "x" } }, { requestId: "key-order" });
    expect(await rejectionOf(otherArray)).to.include(REUSED);
  });

  it("a batch is all or nothing (Clear refusals)", async () => {
    await client.create(TYPE, { number: 1 }, { requestId: "taken" });
    const labels = { story: "batch" };
    const whole = [0, 1, 2].map((number) => ({
      type: TYPE,
      payload: { number },
      labels,
      requestId: `batch-${number}`,
    }));
    const clashing = [...whole.slice(0, 2), { type: TYPE, payload: { number: 2 }, labels, requestId: "taken" }];
    const clash = await rejectionOf(client.createMany(clashing));
    expect(clash).to.include(REUSED);
    expect(clash.message).to.include("requests[2].request_id");
    const malformed = [...whole.slice(0, 2), { type: "No Type", labels }];
    expect(await rejectionOf(client.createMany(malformed))).to.include({ code: "INVALID_ARGUMENT" });
    expect(await tasksOf("batch")).to.deep.equal([]);

    const created = await client.createMany(whole);
    expect(created.map(({ state }) => state)).to.deep.equal(whole.map(() => TaskState.PENDING));
    const again = await client.createMany(whole);
    expect(again.map(({ id }) => id)).to.deep.equal(created.map(({ id }) => id));
    expect((await tasksOf("batch")).map(({ id }) => id)).to.deep.equal(created.map(({ id }) => id));
  });

  it("remembers request ids across a restart of the service", async () => {
    const first = await client.create(TYPE, {}, { requestId: "before-the-kill" });
    await test.stack.service.kill();
    await test.stack.service.start();
    expect((await client.create(TYPE, {}, { requestId: "before-the-kill" })).id).to.equal(first.id);
    const other = client.create(TYPE, { other: true }, { requestId: "before-the-kill" });
    expect(await rejectionOf(other)).to.include(REUSED);
  });
});
