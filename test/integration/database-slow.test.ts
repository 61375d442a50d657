import { expect } from "chai";
import { TaskState } from "#libs/client/taskwire-client.js";
import { describeWithFaults } from "#test/faults/describe-with-faults.js";
import { startFaultyStack, type FaultyStack } from "#test/faults/faulty-stack.js";
import { endOf, expectWholeHistory, historyOf } from "#test/support/follow-task.js";
import { until } from "#test/support/until.js";

/** Longer than any answer may take that does not wait for the disk; the tests end the delay, they do not sit it out. */
const FSYNC_DELAY_MS = 60_000;
const CREATES = 500;

describeWithFaults("When an fsync of the database takes seconds (Never blocked)", function () {
  this.timeout(60_000);
  let test: FaultyStack;

  beforeEach(async () => {
    test = await startFaultyStack();
  });
  afterEach(() => test?.stop());

  it("answers reads meanwhile, accepts creates only when they are on disk, and none is lost", async () => {
    const { client, impatient, shim } = test;
    const ended = await client.create("inline.echo", { text: "before" });
    await endOf(client, ended.id);

    shim.setSlowFsyncMs(FSYNC_DELAY_MS);
    const order: string[] = [];
    const creates = Array.from({ length: CREATES }, async (_task, number) => {
      const task = await impatient.create("inline.echo", { number });
      order.push("created");
      return task;
    });
    await until("an fsync is under way", () => shim.fsyncsUnderWay > 0);
    for (let round = 0; round < 20; round += 1) {
      expect((await impatient.get(ended.id)).state).to.equal(TaskState.COMPLETED);
      expect((await impatient.listPage({ types: ["inline.echo"] })).tasks).to.have.lengthOf(1);
      order.push("read");
    }
    expectWholeHistory(await historyOf(impatient, ended.id));
    expect(order, "no create is answered before its commit").to.deep.equal(Array.from({ length: 20 }, () => "read"));
    expect(shim.fsyncsUnderWay).to.equal(1);

    shim.setSlowFsyncMs(0);
    const tasks = await Promise.all(creates);
    for (const { id } of [tasks[0], tasks.at(-1)].flatMap((task) => task ?? [])) {
      expect((await endOf(client, id)).state).to.equal(TaskState.COMPLETED);
    }
    await until("every task has ended", async () => {
      const states = [TaskState.PENDING, TaskState.RUNNING];
      return (await client.listPage({ types: ["inline.echo"], states })).tasks.length === 0;
    });
    expect(await test.findings()).to.equal("");
  });

  it("stops in order while an fsync is slow: what was handed in is committed or was never accepted", async () => {
    const { client, impatient, shim, stack } = test;
    shim.setSlowFsyncMs(FSYNC_DELAY_MS);
    const accepted: string[] = [];
    const creates = Array.from({ length: CREATES }, (_task, number) =>
      impatient.create("inline.echo", { number }).then(
        ({ id }) => accepted.push(id),
        () => undefined,
      ),
    );
    await until("an fsync is under way", () => shim.fsyncsUnderWay > 0);
    await stack.service.kill("SIGTERM");
    await until("the service refuses calls", () =>
      impatient.ping().then(
        () => false,
        () => true,
      ),
    );
    shim.setSlowFsyncMs(0);
    await stack.service.exited();
    await Promise.all(creates);
    await stack.service.start();
    for (const id of accepted) expect((await client.get(id)).id).to.equal(id);
    expect(await test.findings()).to.equal("");
  });
});
