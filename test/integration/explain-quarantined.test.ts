import { expect } from "chai";
import { TaskState } from "#libs/client/taskwire-client.js";
import { fixturePath } from "#test/fixtures/tasks/fixture-path.js";
import { explainedBy, reasonsOf, valueOf } from "#test/support/explained.js";
import { endOf } from "#test/support/follow-task.js";
import { Gate } from "#test/support/gate.js";
import { startTestStack, type TestStack } from "#test/support/test-stack.js";
import { until } from "#test/support/until.js";

/** From so many lost workers in a row on, tasks are kept apart. */
const SUSPECT_LOSSES = 2;
const WAIT_MS = 30_000;

describe("ExplainTask tells of a task that is kept apart because it lost its workers", function () {
  this.timeout(120_000);
  let test: TestStack;

  before(async () => {
    test = await startTestStack({
      workerArgs: ["--tasks", fixturePath("retry-tasks.js"), "--tasks", fixturePath("flow-tasks.js")],
      workerEnv: { TASKWIRE_HEARTBEAT_MS: "200", TASKWIRE_SLOTS: "4" },
      serviceEnv: { TASKWIRE_LEASE_MS: "1000", TASKWIRE_REDISPATCH_MS: "1000", TASKWIRE_POISON_LOSSES: "9" },
    });
  });
  after(() => test?.stop());

  it("while another one has its turn", async () => {
    const { client, stack, dataDir } = test;
    const poison = new Gate(dataDir, "poison");
    const healthy = new Gate(dataDir, "healthy");
    const options = { maxAttempts: 9 };
    const tasks = [
      await client.create("retry.poison", poison.payload, options),
      await client.create("flow.gate", healthy.payload, options),
    ];
    const states = () => Promise.all(tasks.map(({ id }) => client.get(id)));
    const [worker] = stack.workers;
    for (let attempt = 1; attempt <= SUSPECT_LOSSES; attempt += 1) {
      const areRunning = async () =>
        (await states()).every((task) => task.state === TaskState.RUNNING && task.attempt === attempt);
      await until(`both run their attempt ${attempt}`, areRunning, WAIT_MS);
      const died = new Promise<void>((resolve) => worker?.onUnexpectedExit(() => resolve()));
      poison.open(attempt);
      await died;
      await worker?.start();
    }
    const oneRuns = async () => {
      const all = await states();
      const isLate = all.every((task) => task.attempt >= SUSPECT_LOSSES);
      const waits = all.find((task) => task.state === TaskState.PENDING);
      return isLate && all.some((task) => task.attempt > SUSPECT_LOSSES) && waits;
    };
    const waiting = await until("one runs alone", oneRuns, WAIT_MS);
    const isWorkerKnown = async () => (await client.workers()).length > 0;
    await until("the started worker is known", isWorkerKnown, WAIT_MS);
    const explanation = await explainedBy(client, waiting.id, "quarantined");
    expect(reasonsOf(explanation)).to.deep.equal(["quarantined", "inLine"]);
    expect(valueOf(explanation, "quarantined")).to.deep.equal({ lostWorkers: SUSPECT_LOSSES });
    expect(explanation.summary).to.include(": it lost 2 workers in a row and waits for its turn apart from other such");
    healthy.open();
    await client.cancel(tasks[0]?.id ?? "");
    await endOf(client, tasks[1]?.id ?? "", WAIT_MS);
  });
});
