import { expect } from "chai";
import { TaskState } from "#libs/client/taskwire-client.js";
import { fixturePath } from "#test/fixtures/tasks/fixture-path.js";
import { eventOf, expectWholeHistory, historyOf, kindsOf, valuesOf } from "#test/support/follow-task.js";
import { Gate } from "#test/support/gate.js";
import { JournalFile } from "#test/support/journal-file.js";
import { startTestStack, type TestStack } from "#test/support/test-stack.js";
import { until } from "#test/support/until.js";

const LEASE_MS = 4000;

describe("When the service is away for longer than the lease (Recovers in seconds)", function () {
  this.timeout(90_000);
  let test: TestStack;

  before(async () => {
    test = await startTestStack({
      workerArgs: ["--tasks", fixturePath("trouble-tasks.js")],
      workerEnv: { TASKWIRE_SLOTS: "3", TASKWIRE_HEARTBEAT_MS: "200", TASKWIRE_FREEZE_KILL_MS: "3000" },
      serviceEnv: { TASKWIRE_LEASE_MS: String(LEASE_MS) },
    });
  });
  after(() => test?.stop());

  it("nothing is run again that lives, what ended meanwhile has ended, and what died is rescued", async () => {
    const { client, stack, dataDir } = test;
    const journal = new JournalFile(dataDir);
    const begun = async (name: string) => {
      const gate = new Gate(dataDir, name);
      const { id } = await client.create("trouble.journal", { file: journal.path, ...gate.payload });
      const { value } = await eventOf(client, id, "started");
      await eventOf(client, id, "progress");
      return { id, gate, workerId: value.workerId };
    };
    const living = await begun("living");
    const ending = await begun("ending");
    // All slots of the first worker but one are taken; the mortal has that one as well.
    const filler = await begun("filler");
    const mortal = await stack.addWorker();
    const dying = await begun("dying");
    expect(dying.workerId).to.equal(mortal.ready.workerId);

    await stack.service.kill();
    await mortal.kill();
    ending.gate.open();
    const awayUntilMs = performance.now() + 2 * LEASE_MS;
    await until("two lease times have passed", () => performance.now() > awayUntilMs);
    await stack.service.start();

    const ended = await historyOf(client, ending.id);
    expect(kindsOf(ended)).to.deep.equal(["created", "started", "progress", "completed"]);
    const { value } = await eventOf(client, dying.id, "retryScheduled");
    expect(value.error?.code).to.equal("WORKER_LOST");
    for (const { gate } of [living, filler, dying]) gate.open();
    for (const { id } of [living, filler]) {
      const events = await historyOf(client, id);
      expectWholeHistory(events);
      expect(valuesOf(events, "staleAttemptRejected")).to.deep.equal([]);
      expect(await client.get(id)).to.include({ state: TaskState.COMPLETED, attempt: 1 });
      expect(journal.attempts(id)).to.deep.equal([1]);
    }
    const rescued = await historyOf(client, dying.id);
    expectWholeHistory(rescued);
    expect(await client.get(dying.id)).to.include({
      state: TaskState.COMPLETED,
      attempt: 2,
      workerId: living.workerId,
    });
    expect(journal.attempts(dying.id)).to.deep.equal([1, 2]);
  });
});
