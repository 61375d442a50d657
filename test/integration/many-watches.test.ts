import { expect } from "chai";
import { fixturePath } from "#test/fixtures/tasks/fixture-path.js";
import { historyOf } from "#test/support/follow-task.js";
import { startTestStack, type TestStack } from "#test/support/test-stack.js";

const TASKS = 2000;
const AT_ONCE = 50;

describe("Many watches on one connection", function () {
  this.timeout(60_000);
  let test: TestStack;

  before(async () => {
    test = await startTestStack({
      workerArgs: ["--tasks", fixturePath("inline-tasks.js")],
      workerEnv: { TASKWIRE_SLOTS: "100", TASKWIRE_LOG_LEVEL: "warn" },
    });
  });
  after(() => test?.stop());

  /** Calls `work` with 0, 1, …, some at once. */
  async function forEachTask(work: (number: number) => Promise<unknown>): Promise<void> {
    let next = 0;
    const lane = async () => {
      while (next < TASKS) await work(next++);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, lane));
  }

  // HTTP/2 servers close connections whose clients reset streams too often, as an attack: CVE-2023-44487.
  it("end in order, so that the server does not take them for an attack and close the connection", async () => {
    await forEachTask(async (number) => {
      expect(await test.client.run("inline.echo", { number })).to.deep.equal({ number });
    });
  });

  it("end in order where the caller leaves the loop at the last event", async () => {
    const { id } = await test.client.create("inline.echo");
    await historyOf(test.client, id);
    await forEachTask(async () => {
      for await (const frame of test.client.watch(id, { afterSequence: 0 })) {
        if (frame.kind === "event" && frame.event.kind?.$case === "completed") break;
      }
      await test.client.get(id);
    });
  });
});
