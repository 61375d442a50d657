import { expect } from "chai";
import { TaskState } from "#libs/client/taskwire-client.js";
import { isAlive } from "#test/support/child-processes.js";
import { TaskCancelled_Phase } from "#libs/proto/gen/taskwire/v1/task_event.js";
import { fixturePath } from "#test/fixtures/tasks/fixture-path.js";
import { eventOf, eventsSoFar, expectWholeHistory, historyOf, kindsOf, valuesOf } from "#test/support/follow-task.js";
import { Gate } from "#test/support/gate.js";
import { startTestStack, type TestStack } from "#test/support/test-stack.js";
import { until } from "#test/support/until.js";

describe("When a worker freezes and comes back (At-least-once run, exactly-once effect)", function () {
  this.timeout(60_000);
  let test: TestStack;

  before(async () => {
    test = await startTestStack({
      workerArgs: ["--tasks", fixturePath("flow-tasks.js")],
      workerEnv: { TASKWIRE_HEARTBEAT_MS: "200", TASKWIRE_SLOTS: "2", TASKWIRE_CANCEL_GRACE_MS: "500" },
      serviceEnv: { TASKWIRE_LEASE_MS: "2000", TASKWIRE_REDISPATCH_MS: "1000" },
    });
  });
  after(() => test?.stop());

  it("its superseded attempt is refused and recorded, and the task completes once", async () => {
    const { client, stack } = test;
    const gate = new Gate(test.dataDir, "frozen");
    const { id } = await client.create("flow.gate", gate.payload);
    const { value: first } = await eventOf(client, id, "started");
    const [frozen] = stack.workers;
    await frozen?.kill("SIGSTOP");
    const helper = await stack.addWorker();
    await eventOf(client, id, "retryScheduled");
    const second = await until("another worker has it", async () => {
      const task = await client.get(id);
      return task.state === TaskState.RUNNING && task.attempt === 2 ? task : undefined;
    });
    expect(second.workerId).to.equal(helper.ready.workerId).and.not.equal(first.workerId);

    gate.open(1);
    await frozen?.kill("SIGCONT");
    await until("the report of attempt 1 is refused", async () => {
      const refused = valuesOf(await eventsSoFar(client, id), "staleAttemptRejected");
      // It may hold a dispatch of attempt 2 as well, taken just before it froze.
      expect(refused.map(({ workerId }) => workerId)).to.deep.equal(refused.map(() => first.workerId));
      return refused.some(({ reportedAttempt }) => reportedAttempt === 1);
    });
    expect(await client.get(id)).to.include({ state: TaskState.RUNNING, attempt: 2, workerId: second.workerId });

    gate.open(2);
    const events = await historyOf(client, id);
    expectWholeHistory(events);
    expect(valuesOf(events, "completed")[0]?.result).to.deep.equal({ attempt: 2 });
    expect(kindsOf(events).filter((kind) => kind === "started")).to.have.lengthOf(2);
    expect(valuesOf(events, "retryScheduled").map(({ error }) => error?.code)).to.deep.equal(["WORKER_LOST"]);
    await until("the frozen worker counts again", async () => (await client.workers()).length === 2);
  });

  it("stops the attempt it has lost, and kills its handler though that ignores the signal", async () => {
    const { client, stack } = test;
    const { id } = await client.create("flow.deaf", {});
    const { event, value } = await eventOf(client, id, "progress");
    const { workerId } = await client.get(id);
    const pid = value.current ?? 0;
    const holder = stack.workers.find(({ ready }) => ready.workerId === workerId);
    await holder?.kill("SIGSTOP");
    await eventOf(client, id, "retryScheduled");
    expect(await isAlive(pid)).to.equal(true);
    await holder?.kill("SIGCONT");
    await until("its process is gone", async () => !(await isAlive(pid)));
    await until("attempt 2 runs", async () => (await client.get(id)).attempt === 2);
    await client.cancel(id);
    const events = await historyOf(client, id);
    expectWholeHistory(events);
    expect(valuesOf(events, "retryScheduled").map(({ error }) => error?.code)).to.deep.equal(["WORKER_LOST"]);
    expect(event.attempt).to.equal(1);
  });

  it("stops an attempt whose task was cancelled meanwhile, though its handler says nothing", async () => {
    const { client, stack } = test;
    const { id } = await client.create("flow.deaf", {});
    const { value } = await eventOf(client, id, "progress");
    const pid = value.current ?? 0;
    const { workerId } = await client.get(id);
    const holder = stack.workers.find(({ ready }) => ready.workerId === workerId);
    await holder?.kill("SIGSTOP");
    await client.cancel(id);
    const events = await historyOf(client, id);
    expect(valuesOf(events, "cancelled").map(({ phase }) => phase)).to.deep.equal([TaskCancelled_Phase.WORKER_LOST]);
    await holder?.kill("SIGCONT");
    await until("its process is gone", async () => !(await isAlive(pid)));
    expect(await historyOf(client, id), "nothing was added").to.deep.equal(events);
  });
});
