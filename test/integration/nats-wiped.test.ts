import { expect } from "chai";
import { TaskState, type Task } from "#libs/client/taskwire-client.js";
import {
  HealthCheckRequest,
  HealthCheckResponse,
  HealthCheckResponse_ServingStatus as Status,
  HealthService,
} from "#libs/proto/gen/grpc/health/v1/health.js";
import { Channel } from "#libs/rpc/channel.js";
import { fixturePath } from "#test/fixtures/tasks/fixture-path.js";
import { eventOf, expectWholeHistory, historyOf } from "#test/support/follow-task.js";
import { Gate } from "#test/support/gate.js";
import { logLines } from "#test/support/log-lines.js";
import { rejectionOf } from "#test/support/rejection-of.js";
import { startTestStack, type TestStack } from "#test/support/test-stack.js";
import { until } from "#test/support/until.js";

const SLOTS = 4;
const WAITING = 1000;
const LATE = 20;
const check = { path: HealthService.check.path, request: HealthCheckRequest, response: HealthCheckResponse };

describe("When NATS is killed and its storage deleted (One truth)", function () {
  this.timeout(90_000);
  let test: TestStack;
  let channel: Channel;
  let gate: Gate;
  let running: Task[];
  let waiting: Task[];

  before(async () => {
    test = await startTestStack({
      workerArgs: ["--tasks", fixturePath("flow-tasks.js"), "--tasks", fixturePath("inline-tasks.js")],
      workerEnv: { TASKWIRE_SLOTS: String(SLOTS) },
    });
    channel = new Channel({ address: test.address });
    const { client } = test;
    gate = new Gate(test.dataDir, "wipe");
    running = await client.createMany(
      Array.from({ length: SLOTS }, () => ({ type: "flow.gate", payload: gate.payload })),
    );
    await Promise.all(running.map(({ id }) => eventOf(client, id, "progress")));
    waiting = await client.createMany(
      Array.from({ length: WAITING }, (_task, number) => ({ type: "inline.echo", payload: { number } })),
    );
  });
  after(async () => {
    channel?.close();
    await test?.stop();
  });

  const statusOf = async (service: string) => (await channel.unary(check, { service }, { timeoutMs: 5000 })).status;
  const untilStatus = (service: string, status: Status) =>
    until(`health of "${service}" is ${Status[status]}`, async () => (await statusOf(service)) === status);

  it("all 1000 tasks that waited complete, and watchers see it all", async () => {
    const { client, stack } = test;
    const watches = [...running, ...waiting.slice(0, 10), ...waiting.slice(-10)].map(({ id }) =>
      historyOf(client, id, 60_000),
    );
    await stack.nats.kill();
    gate.open();
    await until("the running tasks finish while NATS is away", () => {
      const finished = logLines(test.dataDir, "worker-1").filter(({ msg }) => msg === "attempt finished");
      return running.every(({ id }) => finished.some((line) => line["taskId"] === id));
    });
    await stack.nats.restart({ wipe: true });
    for (const events of await Promise.all(watches)) {
      expectWholeHistory(events);
      expect(events.at(-1)).to.include({ state: TaskState.COMPLETED, attempt: 1 });
    }
    await untilAllCompleted(WAITING);
  });

  it("creates are accepted while NATS is away, and health says what does not work", async () => {
    const { client, stack } = test;
    await stack.nats.kill();
    await untilStatus("", Status.NOT_SERVING);
    await untilStatus("taskwire.v1.WorkerService", Status.NOT_SERVING);
    expect(await statusOf("taskwire.v1.TaskService")).to.equal(Status.SERVING);
    const late = await Promise.all(Array.from({ length: LATE }, () => client.create("inline.echo")));
    for (const { id } of late) expect((await client.get(id)).state).to.equal(TaskState.PENDING);
    expect(await rejectionOf(client.ping())).to.include({ code: "UNAVAILABLE" });

    await stack.nats.restart({ wipe: true });
    await untilStatus("", Status.SERVING);
    await untilStatus("taskwire.v1.WorkerService", Status.SERVING);
    await untilAllCompleted(WAITING + LATE);
    await until("a ping comes back", () => client.ping().catch(() => undefined));
  });

  async function untilAllCompleted(count: number): Promise<void> {
    const { client } = test;
    await until(
      `${count} tasks are COMPLETED`,
      async () => {
        let completed = 0;
        const states = [TaskState.COMPLETED];
        for await (const { attempt } of client.list({ types: ["inline.echo"], states, pageSize: 1000 })) {
          expect(attempt).to.equal(1);
          completed += 1;
        }
        return completed === count;
      },
      60_000,
    );
  }
});
