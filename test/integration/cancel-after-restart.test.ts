import { expect } from "chai";
import { TaskState } from "#libs/client/taskwire-client.js";
import { TaskCancelled_Phase as Phase } from "#libs/proto/gen/taskwire/v1/task_event.js";
import { fixturePath } from "#test/fixtures/tasks/fixture-path.js";
import { endOf, eventOf, historyOf, kindsOf, valuesOf } from "#test/support/follow-task.js";
import { Gate } from "#test/support/gate.js";
import { JournalFile } from "#test/support/journal-file.js";
import { StackStreams } from "#test/support/stack-streams.js";
import { startTestStack, type TestStack } from "#test/support/test-stack.js";
import { until } from "#test/support/until.js";

describe("When a task is cancelled that the process before this one has dispatched (Stops when told)", function () {
  this.timeout(60_000);
  let test: TestStack;
  let streams: StackStreams;
  let journal: JournalFile;

  beforeEach(async () => {
    test = await startTestStack({
      workerArgs: ["--tasks", fixturePath("trouble-tasks.js")],
      workerEnv: { TASKWIRE_SLOTS: "1" },
    });
    streams = new StackStreams(test);
    await streams.start();
    journal = new JournalFile(test.dataDir);
  });
  afterEach(async () => {
    await streams?.stop();
    await test?.stop();
  });

  it("one that waits in NATS never runs, however soon after the restart it is cancelled", async () => {
    const { client, stack, dataDir } = test;
    const gate = new Gate(dataDir, "busy");
    const busy = await client.create("trouble.journal", { file: journal.path, ...gate.payload });
    await eventOf(client, busy.id, "progress");
    const { id } = await client.create("trouble.journal", { file: journal.path });
    await until("its dispatch is in NATS", async () => (await streams.dispatches()) === 1);
    await stack.service.restart();
    await client.cancel(id, "too late");
    const events = await historyOf(client, id);
    expect(kindsOf(events)).to.deep.equal(["created", "cancelRequested", "cancelled"]);
    expect(valuesOf(events, "cancelled")).to.deep.equal([{ phase: Phase.BEFORE_START, reason: "too late" }]);
    gate.open();
    await endOf(client, busy.id);
    await client.run("trouble.journal", { file: journal.path });
    expect(journal.steps(id), "its handler ran").to.deep.equal([]);
  });

  it("one that nobody ever dispatched is CANCELLED at once when work flows again", async () => {
    const { client, stack } = test;
    const { id } = await client.create("nobody.home");
    await stack.service.restart();
    await client.cancel(id);
    const startedMs = Date.now();
    expect(await endOf(client, id)).to.include({ state: TaskState.CANCELLED, attempt: 0 });
    expect(Date.now() - startedMs, "not by force, which takes ten seconds at least").to.be.below(9000);
  });

  it("others that wait there are neither lost nor run twice", async () => {
    const { client, stack, dataDir } = test;
    const gate = new Gate(dataDir, "busy");
    const busy = await client.create("trouble.journal", { file: journal.path, ...gate.payload });
    await eventOf(client, busy.id, "progress");
    const ids: string[] = [];
    for (let count = 0; count < 5; count += 1)
      ids.push((await client.create("trouble.journal", { file: journal.path })).id);
    await until("some are in NATS", async () => (await streams.dispatches()) > 0);
    await stack.service.restart();
    gate.open();
    for (const id of ids) expect(await endOf(client, id)).to.include({ state: TaskState.COMPLETED, attempt: 1 });
    for (const id of ids) expect(journal.steps(id)).to.deep.equal([1]);
    await until("nothing is left in NATS", async () => (await streams.dispatches()) === 0);
  });
});
