import { expect } from "chai";
import { watchTask } from "#libs/client/service-methods.js";
import { TaskState } from "#libs/client/taskwire-client.js";
import { Channel } from "#libs/rpc/channel.js";
import { fixturePath } from "#test/fixtures/tasks/fixture-path.js";
import { eventOf, expectWholeHistory, historyOf, kindsOf, valuesOf } from "#test/support/follow-task.js";
import { Gate } from "#test/support/gate.js";
import { rejectionOf } from "#test/support/rejection-of.js";
import { startTestStack, type TestStack } from "#test/support/test-stack.js";
import { until } from "#test/support/until.js";

const DRAIN_MS = 2000;
const GRACE_MS = 300;

describe("Graceful shutdown", function () {
  this.timeout(60_000);
  let test: TestStack;

  beforeEach(async () => {
    test = await startTestStack({
      workerArgs: ["--tasks", fixturePath("process-tasks.js"), "--tasks", fixturePath("flow-tasks.js")],
      workerEnv: {
        TASKWIRE_SLOTS: "3",
        TASKWIRE_DRAIN_TIMEOUT_MS: String(DRAIN_MS),
        TASKWIRE_CANCEL_GRACE_MS: String(GRACE_MS),
      },
    });
  });
  afterEach(() => test.stop());

  /** Creates a task with one attempt and waits until its handler has begun. */
  async function begun(type: string, payload: Record<string, unknown>): Promise<string> {
    const { id } = await test.client.create(type, payload, { maxAttempts: 1 });
    await eventOf(test.client, id, "progress");
    return id;
  }

  it("a worker told to stop lets tasks finish within its drain time, and hands back the others without using an attempt", async () => {
    const { client, stack } = test;
    const early = new Gate(test.dataDir, "early");
    const late = new Gate(test.dataDir, "late");
    const finishing = await begun("flow.gate", early.payload);
    const listening = await begun("flow.gate", late.payload);
    const deaf = await begun("process.spin", {});
    const waiting = await client.create("flow.gate", late.payload, { maxAttempts: 1 });

    const [worker] = stack.workers;
    await worker?.kill("SIGTERM");
    await until("the worker drains", async () => (await client.workers())[0]?.draining);
    early.open();
    expect(kindsOf(await historyOf(client, finishing)).at(-1)).to.equal("completed");
    await worker?.exited();
    for (const id of [listening, deaf]) {
      await eventOf(client, id, "released");
      const task = await client.get(id);
      expect(task).to.include({ state: TaskState.PENDING, attempt: 1, maxAttempts: 1 });
      expect(task.error?.code).to.equal("WORKER_SHUTDOWN");
    }
    expect((await client.get(waiting.id)).state).to.equal(TaskState.PENDING);
    expect(await client.workers()).to.deep.equal([]);

    late.open();
    await stack.addWorker();
    for (const id of [listening, waiting.id]) {
      const events = await historyOf(client, id);
      expectWholeHistory(events);
      expect(events.at(-1)).to.include({ state: TaskState.COMPLETED, attempt: id === listening ? 2 : 1 });
    }
    expect(valuesOf(await historyOf(client, listening), "retryScheduled")).to.deep.equal([]);
    await until("the deaf one runs again", async () => (await client.get(deaf)).attempt === 2);
    await client.cancel(deaf);
  });

  it("a service told to stop ends watches with UNAVAILABLE, and clients resume after its restart (Resumable)", async () => {
    const { client, stack } = test;
    const gate = new Gate(test.dataDir, "restart");
    const id = await begun("flow.gate", gate.payload);
    const followed = historyOf(client, id);
    const channel = new Channel({ address: test.address });
    try {
      const raw = (async () => {
        for await (const frame of channel.serverStream(watchTask, { id, afterSequence: 0, view: 0 })) void frame;
      })();
      const [end] = await Promise.all([rejectionOf(raw), stack.service.stop()]);
      expect(end).to.include({ code: "UNAVAILABLE" });
    } finally {
      channel.close();
    }
    await stack.service.start();
    gate.open();
    const events = await followed;
    expectWholeHistory(events);
    expect(kindsOf(events)).to.deep.equal(["created", "started", "progress", "completed"]);
    expect(events.at(-1)).to.include({ attempt: 1 });
  });
});
