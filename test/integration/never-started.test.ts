import { expect } from "chai";
import { AttemptOutcome, TaskState } from "#libs/client/taskwire-client.js";
import { fixturePath } from "#test/fixtures/tasks/fixture-path.js";
import { expectWholeHistory, historyOf, kindsOf } from "#test/support/follow-task.js";
import { JournalFile } from "#test/support/journal-file.js";
import { StackStreams } from "#test/support/stack-streams.js";
import { startTestStack, type TestStack } from "#test/support/test-stack.js";
import { until } from "#test/support/until.js";

const WORKERS = 3;

describe("When workers die with a task that they were handed and had not started (Accounted attempts)", function () {
  this.timeout(90_000);
  let test: TestStack;
  let streams: StackStreams;

  before(async () => {
    test = await startTestStack({
      workerArgs: ["--tasks", fixturePath("trouble-tasks.js")],
      workerEnv: { TASKWIRE_SLOTS: "1", TASKWIRE_HEARTBEAT_MS: "200" },
      serviceEnv: { TASKWIRE_REDISPATCH_MS: "500", TASKWIRE_LEASE_MS: "60000" },
      workers: WORKERS,
    });
    streams = new StackStreams(test);
    await streams.start();
  });
  after(async () => {
    await streams?.stop();
    await test?.stop();
  });

  it("runs the task all the same, as attempt 1 of 1", async () => {
    const { client, stack, dataDir } = test;
    const journal = new JournalFile(dataDir);
    await until("workers ask for tasks", async () => (await streams.openPulls()) >= WORKERS);
    for (const worker of stack.workers) await worker.kill("SIGSTOP");
    const { id } = await client.create("trouble.journal", { file: journal.path }, { maxAttempts: 1 });
    await until("it was handed to one of them", async () => (await streams.inHands()) > 0);
    for (const worker of stack.workers) await worker.kill();
    const helper = await stack.addWorker();
    const events = await historyOf(client, id);
    expectWholeHistory(events);
    expect(kindsOf(events)).to.deep.equal(["created", "started", "progress", "completed"]);
    expect(await client.get(id)).to.include({ state: TaskState.COMPLETED, attempt: 1, maxAttempts: 1 });
    expect(journal.steps(id)).to.deep.equal([1]);
    const attempts = [];
    for await (const attempt of client.attempts(id)) attempts.push(attempt);
    expect(attempts).to.have.lengthOf(1);
    expect(attempts[0]).to.include({
      number: 1,
      outcome: AttemptOutcome.SUCCEEDED,
      counted: true,
      workerId: helper.ready.workerId,
    });
  });
});
