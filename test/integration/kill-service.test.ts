import { expect } from "chai";
import { TaskState, type Task, type TaskEvent } from "#libs/client/taskwire-client.js";
import { fixturePath } from "#test/fixtures/tasks/fixture-path.js";
import { eventOf, expectWholeHistory, historyOf, kindsOf } from "#test/support/follow-task.js";
import { Gate } from "#test/support/gate.js";
import { SteadyCreates } from "#test/support/steady-creates.js";
import { startTestStack, type TestStack } from "#test/support/test-stack.js";
import { until } from "#test/support/until.js";

const WATCHED = 3;
const KILLS = 2;
/** A restarted service resumes at once; nothing may wait for a timeout of NATS. */
const RESUME_LIMIT_MS = 10_000;

describe("When the task-service is killed under load", function () {
  this.timeout(90_000);
  let test: TestStack;
  let acknowledged: readonly string[];
  let histories: readonly (readonly TaskEvent[])[];
  let watched: readonly Task[];

  before(async () => {
    test = await startTestStack({
      workerArgs: ["--tasks", fixturePath("flow-tasks.js"), "--tasks", fixturePath("inline-tasks.js")],
      workerEnv: { TASKWIRE_SLOTS: "16" },
    });
    const { client, stack } = test;
    const gate = new Gate(test.dataDir, "outage");
    watched = await Promise.all(Array.from({ length: WATCHED }, () => client.create("flow.gate", gate.payload)));
    const watches = watched.map(({ id }) => historyOf(client, id, 60_000));
    await Promise.all(watched.map(({ id }) => eventOf(client, id, "progress")));
    const creates = new SteadyCreates(client, "inline.echo");
    for (let kill = 0; kill < KILLS; kill += 1) {
      await creates.more(200);
      await stack.service.kill();
      await stack.service.start();
    }
    await creates.more(100);
    acknowledged = await creates.stop();
    gate.open();
    histories = await Promise.all(watches);
  });
  after(() => test?.stop());

  it("every task that was acknowledged is there after the restart and completes (Durable accept)", async () => {
    const { client } = test;
    const states = await until(
      "every task has ended",
      async () => {
        const found = new Map<string, TaskState>();
        for await (const task of client.list({ types: ["inline.echo"], pageSize: 1000 }))
          found.set(task.id, task.state);
        return ![...found.values()].some((state) => state < TaskState.COMPLETED) && found;
      },
      RESUME_LIMIT_MS,
    );
    const missing = acknowledged.filter((id) => states.get(id) !== TaskState.COMPLETED);
    expect(missing, "acknowledged, but not COMPLETED").to.deep.equal([]);
    expect(states.size, "a create that was tried again makes no second task").to.equal(new Set(acknowledged).size);
  });

  it("watch streams reconnect by themselves and see each sequence exactly once (Resumable, Unique)", () => {
    for (const events of histories) {
      expectWholeHistory(events);
      expect(kindsOf(events)).to.deep.equal(["created", "started", "progress", "completed"]);
    }
  });

  it("does not run an attempt again that is still alive on its worker (One truth)", async () => {
    for (const { id } of watched) {
      expect(await test.client.get(id)).to.deep.include({ attempt: 1, result: { attempt: 1 } });
    }
  });
});
