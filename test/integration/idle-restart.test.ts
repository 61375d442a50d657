import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { TaskState } from "#libs/client/taskwire-client.js";
import { endOf } from "#test/support/follow-task.js";
import { startTestStack, type TestStack } from "#test/support/test-stack.js";

describe("When an idle task-service is restarted (Recovers in seconds)", function () {
  this.timeout(60_000);
  let test: TestStack;

  before(async () => {
    test = await startTestStack();
  });
  after(() => test?.stop());

  it("dispatches at once, without waiting for reports that are all applied", async () => {
    const { client, stack } = test;
    const run = async () => endOf(client, (await client.create("system.no_op")).id);
    expect((await run()).state).to.equal(TaskState.COMPLETED);
    // What the first one leaves unacknowledged is gone by the second.
    for (let restart = 0; restart < 2; restart += 1) {
      await stack.service.kill();
      await stack.service.start();
      expect((await run()).state).to.equal(TaskState.COMPLETED);
    }
    const log = readFileSync(join(test.dataDir, "logs", "task-service.log"), "utf8");
    expect(log).not.to.contain("reports of before the start are still being applied");
  });
});
