import { expect } from "chai";
import { TaskState } from "#libs/client/taskwire-client.js";
import { TaskCancelled_Phase as Phase } from "#libs/proto/gen/taskwire/v1/task_event.js";
import { fixturePath } from "#test/fixtures/tasks/fixture-path.js";
import { eventOf, expectWholeHistory, historyOf, kindsOf, valuesOf } from "#test/support/follow-task.js";
import { JournalFile } from "#test/support/journal-file.js";
import { TcpProxy } from "#test/support/tcp-proxy.js";
import { startTestStack, type TestStack } from "#test/support/test-stack.js";

/** No gate of this name is ever opened. */
const NEVER = "no such gate";
const PHASES = ["cancelRequested", "cancelDelivered", "cancelAcknowledged", "cancelled"];

describe("When a task is cancelled whose worker cannot be reached at that moment (Stops when told)", function () {
  this.timeout(90_000);
  let test: TestStack;
  let journal: JournalFile;

  async function setUp(leaseMs: number): Promise<void> {
    test = await startTestStack({
      workerArgs: ["--tasks", fixturePath("trouble-tasks.js")],
      workerEnv: { TASKWIRE_SLOTS: "1", TASKWIRE_HEARTBEAT_MS: "200", TASKWIRE_FREEZE_KILL_MS: "0" },
      serviceEnv: { TASKWIRE_LEASE_MS: String(leaseMs) },
      workers: 0,
    });
    journal = new JournalFile(test.dataDir);
  }
  afterEach(() => test?.stop());

  async function begun(): Promise<string> {
    const { id } = await test.client.create("trouble.journal", { file: journal.path, gate: NEVER });
    await eventOf(test.client, id, "progress");
    return id;
  }

  async function asked(id: string): Promise<void> {
    const answer = await test.client.cancel(id, "you will hear of it");
    expect(answer.state).to.equal(TaskState.RUNNING);
    expect((await test.client.cancel(id, "again")).cancelRequestTime).to.deep.equal(answer.cancelRequestTime);
  }

  async function expectCancelledByWorker(id: string): Promise<void> {
    const { client } = test;
    const events = await historyOf(client, id, 60_000);
    const steps = journal.steps(id).length;
    expectWholeHistory(events);
    expect(kindsOf(events).slice(-PHASES.length)).to.deep.equal(PHASES);
    const end = { phase: Phase.COOPERATIVE, reason: "you will hear of it" };
    expect(valuesOf(events, "cancelled")).to.deep.equal([end]);
    await client.run("trouble.journal", { file: journal.path });
    expect(journal.steps(id), "steps after CANCELLED").to.have.lengthOf(steps);
  }

  it("a frozen worker learns of it when it goes on", async () => {
    await setUp(60_000);
    const worker = await test.stack.addWorker();
    const id = await begun();
    await worker.kill("SIGSTOP");
    await asked(id);
    await worker.kill("SIGCONT");
    await expectCancelledByWorker(id);
  });

  it("a worker whose connection was cut learns of it when it is back, though the word sent to it was lost", async () => {
    await setUp(60_000);
    const { stack } = test;
    const proxy = new TcpProxy(stack.nats.port);
    await proxy.start();
    try {
      const worker = await stack.addWorker({ env: { TASKWIRE_NATS_URL: `nats://127.0.0.1:${proxy.port}` } });
      const id = await begun();
      proxy.silence();
      await asked(id);
      proxy.cut();
      proxy.speak();
      await expectCancelledByWorker(id);
      await worker.stop();
    } finally {
      await proxy.stop();
    }
  });

  it("when the worker is dead, the task is CANCELLED as its lease ends, and not run again", async () => {
    await setUp(5000);
    const { client, stack } = test;
    const worker = await stack.addWorker();
    const id = await begun();
    await worker.kill("SIGSTOP");
    await asked(id);
    await worker.kill();
    const events = await historyOf(client, id);
    expect(kindsOf(events).slice(-2)).to.deep.equal(["cancelRequested", "cancelled"]);
    expect(valuesOf(events, "cancelled")[0]?.phase).to.equal(Phase.WORKER_LOST);
    await stack.addWorker();
    await client.run("trouble.journal", { file: journal.path });
    expect(journal.attempts(id)).to.deep.equal([1]);
  });
});
