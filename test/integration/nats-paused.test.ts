import { expect } from "chai";
import { TaskState } from "#libs/client/taskwire-client.js";
import {
  HealthCheckRequest,
  HealthCheckResponse,
  HealthCheckResponse_ServingStatus as Status,
  HealthService,
} from "#libs/proto/gen/grpc/health/v1/health.js";
import { Channel } from "#libs/rpc/channel.js";
import { fixturePath } from "#test/fixtures/tasks/fixture-path.js";
import { eventOf, expectWholeHistory, historyOf, kindsOf } from "#test/support/follow-task.js";
import { freezeProcess } from "#test/support/freeze-process.js";
import { Gate } from "#test/support/gate.js";
import { JournalFile } from "#test/support/journal-file.js";
import { startTestStack, type TestStack } from "#test/support/test-stack.js";
import { until } from "#test/support/until.js";

/** Above the time in which a connection to a paused NATS is noticed (4.5 s at most). */
const LEASE_MS = 7000;
const REDISPATCH_MS = 1000;
const SLOTS = 2;
const WAITING = 20;
const check = { path: HealthService.check.path, request: HealthCheckRequest, response: HealthCheckResponse };

describe("When NATS is paused for longer than lease and redispatch time (One truth)", function () {
  this.timeout(120_000);
  let test: TestStack;
  let channel: Channel;

  before(async () => {
    test = await startTestStack({
      workerArgs: ["--tasks", fixturePath("trouble-tasks.js")],
      workerEnv: { TASKWIRE_SLOTS: String(SLOTS), TASKWIRE_HEARTBEAT_MS: "200", TASKWIRE_FREEZE_KILL_MS: "0" },
      serviceEnv: { TASKWIRE_LEASE_MS: String(LEASE_MS), TASKWIRE_REDISPATCH_MS: String(REDISPATCH_MS) },
    });
    channel = new Channel({ address: test.address });
  });
  after(async () => {
    channel?.close();
    await test?.stop();
  });

  const untilStatus = (service: string, status: Status) =>
    until(
      `health of "${service}" is ${Status[status]}`,
      async () => (await channel.unary(check, { service }, { timeoutMs: 5000 })).status === status,
      30_000,
    );

  it("creates and cancels are accepted, health says so, and afterwards each task runs once", async () => {
    const { client, stack, dataDir } = test;
    const journal = new JournalFile(dataDir);
    const gate = new Gate(dataDir, "paused");
    const payload = { file: journal.path, ...gate.payload };
    const running = await Promise.all(Array.from({ length: SLOTS }, () => client.create("trouble.journal", payload)));
    await Promise.all(running.map(({ id }) => eventOf(client, id, "progress")));
    const brief = () => client.create("trouble.brief", { file: journal.path });
    const waiting = await Promise.all(Array.from({ length: WAITING }, brief));

    await freezeProcess(stack.nats.pid);
    try {
      const pausedUntilMs = performance.now() + LEASE_MS + 2 * REDISPATCH_MS;
      await untilStatus("taskwire.v1.WorkerService", Status.NOT_SERVING);
      await untilStatus("", Status.NOT_SERVING);
      await untilStatus("taskwire.v1.TaskService", Status.SERVING);
      waiting.push(...(await Promise.all(Array.from({ length: WAITING }, brief))));
      // The first is in NATS; who has it nobody can say now. The last has not got there.
      const [inNats, notThere] = [...waiting.splice(0, 1), ...waiting.splice(-1, 1)].map(({ id }) => id);
      expect((await client.cancel(inNats ?? "")).cancelRequestTime).to.be.instanceOf(Date);
      expect((await client.cancel(notThere ?? "")).state).to.equal(TaskState.CANCELLED);
      // Those that run end while nobody can be told.
      gate.open();
      await until("lease and redispatch time are over", () => performance.now() > pausedUntilMs, 30_000);
      process.kill(stack.nats.pid, "SIGCONT");
      const end = kindsOf(await historyOf(client, inNats ?? "", 60_000)).at(-1);
      // A worker may be through with it before it is told; the result counts then.
      expect(end).to.be.oneOf(["cancelled", "completed"]);
      expect(journal.steps(inNats ?? "").length).to.be.at.most(1);
      expect(journal.steps(notThere ?? ""), "steps of a task CANCELLED before").to.deep.equal([]);
    } finally {
      process.kill(stack.nats.pid, "SIGCONT");
    }
    for (const { id } of [...running, ...waiting]) {
      const events = await historyOf(client, id, 60_000);
      expectWholeHistory(events);
      expect(await client.get(id)).to.include({ state: TaskState.COMPLETED, attempt: 1 });
      expect(journal.attempts(id)).to.deep.equal([1]);
    }
    for (const { id } of waiting) expect(journal.steps(id), "runs of a task").to.have.lengthOf(1);
    await untilStatus("", Status.SERVING);
  });
});
