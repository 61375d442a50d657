import { expect } from "chai";
import { TaskState, type Task } from "#libs/client/taskwire-client.js";
import { fixturePath } from "#test/fixtures/tasks/fixture-path.js";
import { endOf, eventOf, historyOf, valuesOf } from "#test/support/follow-task.js";
import { Gate } from "#test/support/gate.js";
import { startTestStack, type TestStack } from "#test/support/test-stack.js";

const WAITING = 200;

describe("When NATS is killed and comes back with what it had stored (One truth)", function () {
  this.timeout(60_000);
  let test: TestStack;
  let running: Task;
  let waiting: Task[];

  before(async () => {
    test = await startTestStack({
      workerArgs: ["--tasks", fixturePath("flow-tasks.js")],
      workerEnv: { TASKWIRE_SLOTS: "2" },
    });
    const { client, stack } = test;
    const gate = new Gate(test.dataDir, "restart");
    running = await client.create("flow.gate", gate.payload);
    await eventOf(client, running.id, "started");
    waiting = await client.createMany(Array.from({ length: WAITING }, () => ({ type: "system.no_op" })));
    await stack.nats.restart();
    gate.open();
  });
  after(() => test?.stop());

  it("what ran goes on as the same attempt and completes", async () => {
    expect(await endOf(test.client, running.id)).to.include({ state: TaskState.COMPLETED, attempt: 1 });
    expect(valuesOf(await historyOf(test.client, running.id), "started")).to.have.lengthOf(1);
  });

  it("what waited completes, each once", async () => {
    for (const { id } of waiting) {
      expect(await endOf(test.client, id)).to.include({ state: TaskState.COMPLETED, attempt: 1 });
    }
  });
});
