import { expect } from "chai";
import { fixturePath } from "#test/fixtures/tasks/fixture-path.js";
import { isAlive } from "#test/support/child-processes.js";
import { eventOf, eventsSoFar, expectWholeHistory, historyOf, kindsOf, valuesOf } from "#test/support/follow-task.js";
import { startTestStack, type TestStack } from "#test/support/test-stack.js";
import { until } from "#test/support/until.js";

describe("When a worker freezes, its processes do not outlive their leases", function () {
  this.timeout(60_000);
  let test: TestStack;

  before(async () => {
    test = await startTestStack({
      workerArgs: ["--tasks", fixturePath("flow-tasks.js")],
      workerEnv: { TASKWIRE_HEARTBEAT_MS: "200", TASKWIRE_SLOTS: "1", TASKWIRE_FREEZE_KILL_MS: "1500" },
      serviceEnv: { TASKWIRE_LEASE_MS: "3000", TASKWIRE_REDISPATCH_MS: "1000" },
    });
  });
  after(() => test?.stop());

  it("an attempt is over when its lease is, and what its worker says of it afterwards is refused", async () => {
    const { client, stack } = test;
    const { id } = await client.create("flow.deaf", {});
    const { value } = await eventOf(client, id, "progress");
    const pid = value.current ?? 0;
    const [worker] = stack.workers;
    await worker?.kill("SIGSTOP");
    expect(await isAlive(pid)).to.equal(true);
    await eventOf(client, id, "retryScheduled");
    expect(await isAlive(pid), "the handler of attempt 1 runs").to.equal(false);
    await worker?.kill("SIGCONT");
    await until("the crash of attempt 1 is refused", async () =>
      valuesOf(await eventsSoFar(client, id), "staleAttemptRejected").some(
        ({ reportedAttempt }) => reportedAttempt === 1,
      ),
    );
    await until("attempt 2 runs", async () => (await client.get(id)).attempt === 2);
    await client.cancel(id);
    const events = await historyOf(client, id);
    expectWholeHistory(events);
    expect(kindsOf(events).filter((kind) => kind === "started")).to.have.lengthOf(2);
    expect(valuesOf(events, "retryScheduled").map(({ error }) => error?.code)).to.deep.equal(["WORKER_LOST"]);
  });
});
