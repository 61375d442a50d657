import { rmSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { TaskState } from "#libs/client/taskwire-client.js";
import { fixturePath } from "#test/fixtures/tasks/fixture-path.js";
import { endOf, expectWholeHistory, historyOf } from "#test/support/follow-task.js";
import { freezeProcess } from "#test/support/freeze-process.js";
import { JournalFile } from "#test/support/journal-file.js";
import { StackStreams } from "#test/support/stack-streams.js";
import { startTestStack, type TestStack } from "#test/support/test-stack.js";
import { until } from "#test/support/until.js";

const READ_REPORTS = 10;

describe("When NATS forgets reports that it had confirmed (One truth)", function () {
  this.timeout(90_000);
  let test: TestStack;

  beforeEach(async () => {
    test = await startTestStack({
      workerArgs: ["--tasks", fixturePath("trouble-tasks.js")],
      serviceEnv: { TASKWIRE_REDISPATCH_MS: "1000" },
    });
  });
  afterEach(() => test?.stop());

  async function expectCompleted(id: string): Promise<void> {
    const { client } = test;
    expect(await endOf(client, id)).to.include({ state: TaskState.COMPLETED, attempt: 1 });
    expectWholeHistory(await historyOf(client, id));
  }

  it("with its storage, before the service has read them: the attempt runs again", async () => {
    const { client, stack, dataDir } = test;
    const [worker] = stack.workers;
    if (worker === undefined) throw new Error("there is a worker");
    const streams = new StackStreams(test);
    await streams.start();
    const journal = new JournalFile(dataDir);
    await freezeProcess(worker.pid);
    const task = await client.create("trouble.brief", { file: journal.path });
    await until("the task is dispatched", async () => (await streams.dispatches()) === 1);
    await stack.service.kill();
    process.kill(worker.pid, "SIGCONT");
    const areStored = async () => (await streams.reports()) === 2 && (await streams.dispatches()) === 0;
    await until("its start and its end are stored", areStored);
    await streams.stop();
    await stack.nats.restart({ wipe: true });
    await stack.service.start();
    await expectCompleted(task.id);
    expect(journal.steps(task.id)).to.deep.equal([1, 1]);
  });

  it("but not how far they were read: none that comes later is passed over", async () => {
    const { client, stack, dataDir } = test;
    const { path: file } = new JournalFile(dataDir);
    for (let read = 0; read < READ_REPORTS; read += 1) await client.run("trouble.brief", { file });
    const streams = new StackStreams(test);
    const messages = join(dataDir, "nats", "jetstream", "$G", "streams", streams.names.reports, "msgs");
    await stack.nats.stop();
    rmSync(messages, { recursive: true });
    await stack.nats.restart();
    const task = await client.create("trouble.brief", { file });
    await expectCompleted(task.id);
  });
});
