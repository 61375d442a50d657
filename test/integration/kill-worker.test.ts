import { expect } from "chai";
import { TaskState, type Task } from "#libs/client/taskwire-client.js";
import type { ChildService } from "#cli/stack/child-service.js";
import { fixturePath } from "#test/fixtures/tasks/fixture-path.js";
import { endOf, eventOf, expectWholeHistory, historyOf, kindsOf, valuesOf } from "#test/support/follow-task.js";
import { Gate } from "#test/support/gate.js";
import { startTestStack, type TestStack } from "#test/support/test-stack.js";

const RECOVERY_LIMIT_MS = 15_000;
const workerArgs = ["--tasks", fixturePath("flow-tasks.js")];

describe("When a worker is killed (Recovers in seconds)", function () {
  this.timeout(60_000);

  describe("with the default lease", () => {
    const ALONE = "alone";
    let test: TestStack;
    let gate: Gate;
    let killedMs: number;
    let shared: Task;
    let alone: Task;
    let lostWorkerId: string;

    before(async () => {
      test = await startTestStack({ workerArgs, workerEnv: { TASKWIRE_QUEUES: `default,${ALONE}` } });
      const { client, stack } = test;
      gate = new Gate(test.dataDir, "recovery");
      [shared, alone] = await Promise.all([
        client.create("flow.gate", gate.payload),
        client.create("flow.gate", gate.payload, { queue: ALONE }),
      ]);
      const starts = await Promise.all([shared, alone].map(({ id }) => eventOf(client, id, "started")));
      lostWorkerId = starts[0]?.value.workerId ?? "";
      expect(starts.map(({ value }) => value.workerId)).to.deep.equal([lostWorkerId, lostWorkerId]);
      await stack.addWorker({ env: { TASKWIRE_QUEUES: "default" } });
      killedMs = Date.now();
      const [worker] = stack.workers;
      await worker?.kill();
      gate.open();
      await worker?.start();
    });
    after(() => test?.stop());

    async function expectRecovered({ id }: Task): Promise<void> {
      const events = await historyOf(test.client, id);
      expectWholeHistory(events);
      expect(kindsOf(events).filter((kind) => kind !== "progress")).to.deep.equal([
        ...["created", "started", "retryScheduled", "started", "completed"],
      ]);
      const restart = events.findLast(({ kind }) => kind?.$case === "started");
      expect((restart?.time?.getTime() ?? Infinity) - killedMs).to.be.below(RECOVERY_LIMIT_MS);
      expect(valuesOf(events, "retryScheduled")[0]?.error).to.include({ code: "WORKER_LOST", retryable: true });
      expect(valuesOf(events, "started").map(({ workerId }) => workerId === lostWorkerId)).to.deep.equal([true, false]);
      expect(await test.client.get(id)).to.deep.include({
        state: TaskState.COMPLETED,
        attempt: 2,
        result: { attempt: 2 },
      });
    }

    it("its task runs again on another worker within 15 s and completes", () => expectRecovered(shared));

    it("its task runs again on the restarted worker within 15 s and completes", () => expectRecovered(alone));
  });

  describe("by every attempt of a task (Accounted attempts)", () => {
    let test: TestStack;

    before(async () => {
      test = await startTestStack({
        workerArgs,
        workerEnv: { TASKWIRE_HEARTBEAT_MS: "200" },
        serviceEnv: { TASKWIRE_LEASE_MS: "2000" },
      });
    });
    after(() => test?.stop());

    it("the task ends FAILED instead of circling for ever", async () => {
      const { client, stack } = test;
      const restarts: Promise<void>[] = [];
      const restart = (worker: ChildService) => {
        worker.onUnexpectedExit(() => restarts.push(worker.start()));
      };
      stack.workers.forEach(restart);
      const { id } = await client.create("flow.poison", {}, { maxAttempts: 2 });
      const task = await endOf(client, id);
      expect(task).to.include({ state: TaskState.FAILED, attempt: 2 });
      expect(task.error).to.include({ code: "WORKER_LOST" });
      await Promise.all(restarts);
      // A worker that dies before its `started` is stored has used no attempt.
      expect(restarts).to.have.lengthOf.at.least(2);
    });
  });
});
