import { expect } from "chai";
import { TaskState } from "#libs/client/taskwire-client.js";
import { fixturePath } from "#test/fixtures/tasks/fixture-path.js";
import { explainedBy, reasonsOf, valueOf } from "#test/support/explained.js";
import { endOf, eventOf } from "#test/support/follow-task.js";
import { Gate } from "#test/support/gate.js";
import { startTestStack, type TestStack } from "#test/support/test-stack.js";

describe("ExplainTask while NATS is away", function () {
  this.timeout(90_000);
  let test: TestStack;

  before(async () => {
    test = await startTestStack({
      workerArgs: ["--tasks", fixturePath("flow-tasks.js")],
      workerEnv: { TASKWIRE_HEARTBEAT_MS: "200", TASKWIRE_FREEZE_KILL_MS: "0" },
      serviceEnv: { TASKWIRE_LEASE_MS: "2000" },
    });
  });
  after(() => test?.stop());

  it("says so before all else of a due task, and that a running one's worker is not heard of", async () => {
    const { client, stack, dataDir } = test;
    const gate = new Gate(dataDir, "away");
    const runs = await client.create("flow.gate", gate.payload);
    await eventOf(client, runs.id, "progress");
    await stack.nats.kill();
    const unheard = await explainedBy(client, runs.id, "running", ({ workerAlive }) => !workerAlive);
    expect(unheard.state).to.equal(TaskState.RUNNING);
    expect(reasonsOf(unheard)).to.deep.equal(["running", "natsAway"]);
    expect(valueOf(unheard, "running")).to.deep.include({ lastHeardTime: undefined, attempt: 1 });
    expect(unheard.summary).to.match(/ and is not heard of any more; the task-service has no connection to NATS\.$/);

    const { id } = await client.create("flow.count", { to: 1 });
    const waits = await client.explain(id);
    expect(reasonsOf(waits), "of workers nothing is known").to.deep.equal(["natsAway", "inLine"]);
    expect(waits.summary).to.equal(
      "The task is PENDING: the task-service has no connection to NATS; it is 1st of 1 due in queue default.",
    );
    await stack.nats.restart();
    gate.open();
    await endOf(client, id);
    await endOf(client, runs.id);
  });
});
