import { expect } from "chai";
import { TaskState } from "#libs/client/taskwire-client.js";
import { fixturePath } from "#test/fixtures/tasks/fixture-path.js";
import { endOf } from "#test/support/follow-task.js";
import { startTestStack, type TestStack } from "#test/support/test-stack.js";

describe("A handler that kills its worker before the worker could say that it started (Accounted attempts)", function () {
  this.timeout(120_000);
  let test: TestStack;

  before(async () => {
    test = await startTestStack({
      workerArgs: ["--tasks", fixturePath("flow-tasks.js")],
      workerEnv: { TASKWIRE_HEARTBEAT_MS: "200" },
      serviceEnv: { TASKWIRE_LEASE_MS: "1500", TASKWIRE_REDISPATCH_MS: "1000" },
    });
  });
  after(() => test?.stop());

  it("uses up its attempts all the same and ends FAILED", async () => {
    const { client, stack } = test;
    const restarts: Promise<void>[] = [];
    for (const worker of stack.workers) worker.onUnexpectedExit(() => restarts.push(worker.start()));
    const { id } = await client.create("flow.inline-poison", {}, { maxAttempts: 2 });
    const task = await endOf(client, id);
    expect(task).to.include({ state: TaskState.FAILED, attempt: 2 });
    expect(task.error).to.include({ code: "WORKER_LOST" });
    await Promise.all(restarts);
  });
});
