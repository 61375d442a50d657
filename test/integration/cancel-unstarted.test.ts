import { expect } from "chai";
import { TaskState } from "#libs/client/taskwire-client.js";
import { TaskCancelled_Phase as Phase } from "#libs/proto/gen/taskwire/v1/task_event.js";
import { fixturePath } from "#test/fixtures/tasks/fixture-path.js";
import { endOf, eventOf, expectWholeHistory, historyOf, kindsOf, valuesOf } from "#test/support/follow-task.js";
import { Gate } from "#test/support/gate.js";
import { JournalFile } from "#test/support/journal-file.js";
import { StackStreams } from "#test/support/stack-streams.js";
import { startTestStack, type TestStack } from "#test/support/test-stack.js";
import { testsAtOnce } from "#test/support/tests-at-once.js";
import { until } from "#test/support/until.js";

/** Soon, and yet long enough for the test to see a dispatch in the hands of a worker before it is taken back. */
const REDISPATCH_MS = 2000;

describe("When a task is cancelled that no worker has started (Stops when told)", function () {
  this.timeout(120_000);

  interface Scene {
    readonly test: TestStack;
    readonly streams: StackStreams;
    readonly journal: JournalFile;
  }

  /** Runs `body` with a stack with one worker of one slot. */
  async function withScene(redispatchMs: number, body: (scene: Scene) => Promise<void>): Promise<void> {
    const test = await startTestStack({
      workerArgs: ["--tasks", fixturePath("trouble-tasks.js")],
      workerEnv: { TASKWIRE_SLOTS: "1" },
      serviceEnv: { TASKWIRE_REDISPATCH_MS: String(redispatchMs) },
    });
    const streams = new StackStreams(test);
    try {
      await streams.start();
      await body({ test, streams, journal: new JournalFile(test.dataDir) });
    } finally {
      await streams.stop();
      await test.stop();
    }
  }

  /** Creates a task whose dispatch a frozen worker has been handed. */
  async function heldByFrozenWorker({ test, streams, journal }: Scene): Promise<string> {
    const { client, stack } = test;
    await until("the worker asks for tasks", async () => (await streams.openPulls()) > 0);
    await stack.workers[0]?.kill("SIGSTOP");
    const { id } = await client.create("trouble.journal", { file: journal.path });
    await until("the dispatch was handed out", async () => (await streams.inHands()) === 1);
    return id;
  }

  testsAtOnce(2, [
    [
      "one that waits in NATS for a free slot is CANCELLED at once, and its dispatch is taken back",
      () =>
        withScene(60_000, async (scene) => {
          const { test, streams, journal } = scene;
          const { client, dataDir } = test;
          const gate = new Gate(dataDir, "busy");
          const busy = await client.create("trouble.journal", { file: journal.path, ...gate.payload });
          await eventOf(client, busy.id, "progress");
          const { id } = await client.create("trouble.journal", { file: journal.path });
          await until("its dispatch is in NATS", async () => (await streams.dispatches()) === 1);
          expect(await streams.inHands()).to.equal(0);
          expect((await client.cancel(id, "in NATS")).state).to.equal(TaskState.CANCELLED);
          expect(await streams.dispatches()).to.equal(0);
          const events = await historyOf(client, id);
          expect(kindsOf(events)).to.deep.equal(["created", "cancelRequested", "cancelled"]);
          expect(valuesOf(events, "cancelled")).to.deep.equal([{ phase: Phase.BEFORE_START, reason: "in NATS" }]);
          gate.open();
          await historyOf(client, busy.id);
          await client.run("trouble.journal", { file: journal.path });
          expect(journal.steps(id), "its handler ran").to.deep.equal([]);
        }),
    ],

    [
      "one in the hands of a frozen worker waits for that worker, which is told before or as it starts it",
      () =>
        withScene(60_000, async (scene) => {
          const { test, journal } = scene;
          const { client, stack } = test;
          const id = await heldByFrozenWorker(scene);
          const asked = await client.cancel(id, "in hands");
          expect(asked).to.include({ state: TaskState.PENDING, attempt: 0 });
          expect(asked.cancelRequestTime).to.be.instanceOf(Date);
          expect(await client.cancel(id, "again"), "a second cancel").to.deep.equal(asked);
          await stack.workers[0]?.kill("SIGCONT");
          const events = await historyOf(client, id);
          expectWholeHistory(events);
          expect(valuesOf(events, "cancelRequested")).to.deep.equal([{ reason: "in hands" }]);
          // A handler that is through before the word comes has a result, which counts.
          const task = await client.get(id);
          expect(task.state).to.be.oneOf([TaskState.CANCELLED, TaskState.COMPLETED]);
          expect(journal.attempts(id)).to.deep.equal(journal.attempts(id).length === 0 ? [] : [1]);
        }),
    ],

    [
      "one in the hands of a worker that dies is CANCELLED without that worker, and never run",
      () =>
        withScene(REDISPATCH_MS, async (scene) => {
          const { test, journal } = scene;
          const { client, stack } = test;
          const id = await heldByFrozenWorker(scene);
          expect((await client.cancel(id, "dead hands")).state).to.equal(TaskState.PENDING);
          await stack.workers[0]?.kill();
          const helper = await stack.addWorker();
          const events = await historyOf(client, id);
          expect(kindsOf(events)).to.deep.equal(["created", "cancelRequested", "cancelled"]);
          expect(valuesOf(events, "cancelled")).to.deep.equal([{ phase: Phase.WORKER_LOST, reason: "dead hands" }]);
          expect(helper.ready.workerId).to.be.a("string");
          await client.run("trouble.journal", { file: journal.path });
          expect(journal.steps(id), "its handler ran").to.deep.equal([]);
        }),
    ],

    [
      "one that was ended so and opened again is run by that very worker when it goes on, as another attempt",
      () =>
        withScene(REDISPATCH_MS, async (scene) => {
          const { test, journal } = scene;
          const { client, stack } = test;
          const id = await heldByFrozenWorker(scene);
          await client.cancel(id);
          expect(await endOf(client, id)).to.include({ state: TaskState.CANCELLED });
          await client.retry(id);
          await stack.workers[0]?.kill("SIGCONT");
          expect(await endOf(client, id)).to.deep.include({
            state: TaskState.COMPLETED,
            attempt: 2,
            result: { attempt: 2 },
          });
          expect(journal.attempts(id)).to.deep.equal([2]);
        }),
    ],
  ]);
});
