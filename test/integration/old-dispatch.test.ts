import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { BusConnection } from "#libs/bus/bus-connection.js";
import { JetStreamPublisher } from "#libs/bus/jetstream-publisher.js";
import { TaskState } from "#libs/client/taskwire-client.js";
import { createLogger } from "#libs/log/logger.js";
import { DispatchTask } from "#libs/proto/gen/taskwire/bus/v1/dispatch.js";
import { fixturePath } from "#test/fixtures/tasks/fixture-path.js";
import { endOf, historyOf, kindsOf } from "#test/support/follow-task.js";
import { startTestStack, type TestStack } from "#test/support/test-stack.js";
import { until } from "#test/support/until.js";

const HOUR_MS = 3_600_000;

describe("A dispatch that is handed out again when its attempt is over (Stops when told)", function () {
  this.timeout(60_000);
  let test: TestStack;
  let bus: BusConnection;
  let publisher: JetStreamPublisher;

  before(async () => {
    test = await startTestStack({ workerArgs: ["--tasks", fixturePath("flow-tasks.js")] });
    const logger = createLogger({ name: "test", level: "silent" });
    bus = new BusConnection({ url: test.stack.natsUrl, prefix: "taskwire", name: "old dispatch", logger });
    await bus.start();
    publisher = new JetStreamPublisher(bus);
  });
  after(async () => {
    publisher?.close();
    await bus?.stop();
    await test?.stop();
  });

  /** Puts a dispatch into the work stream that says it is not the first. */
  async function dispatchAgain(taskId: string, attempt: number): Promise<void> {
    const dispatch = { taskId, type: "flow.count", queue: "default", attempt, round: 1, payloadJson: '{"to":1}' };
    const body = DispatchTask.encode(DispatchTask.fromPartial(dispatch)).finish();
    await publisher.publish(bus.subjects.work("default"), body, `${taskId}:${attempt}:again`);
  }

  const workerLog = () => readFileSync(join(test.dataDir, "logs", "worker-1.log"), "utf8");
  const wasRefused = (id: string) =>
    workerLog()
      .split("\n")
      .some((line) => line.includes(id) && line.includes("not wanted any more"));

  it("runs no handler code of a task that is CANCELLED", async () => {
    const { id } = await test.client.create("flow.count", { to: 1 }, { runTime: new Date(Date.now() + HOUR_MS) });
    await test.client.cancel(id);
    await dispatchAgain(id, 1);
    await until("the worker has asked and let go", () => wasRefused(id));
    expect(kindsOf(await historyOf(test.client, id))).to.deep.equal(["created", "cancelRequested", "cancelled"]);
  });

  it("runs no attempt of a task that has COMPLETED", async () => {
    const { id } = await test.client.create("flow.count", { to: 1 });
    expect((await endOf(test.client, id)).state).to.equal(TaskState.COMPLETED);
    // Another worker never had it.
    await test.stack.addWorker();
    await test.stack.workers[0]?.stop();
    await dispatchAgain(id, 1);
    const log = () => readFileSync(join(test.dataDir, "logs", "worker-2.log"), "utf8");
    await until("the other worker has asked and let go", () => log().includes("not wanted any more"));
    expect(kindsOf(await historyOf(test.client, id)).filter((kind) => kind === "started")).to.have.lengthOf(1);
  });

  it("runs the attempt that the task still waits for", async () => {
    const { id } = await test.client.create("flow.count", { to: 1 }, { runTime: new Date(Date.now() + HOUR_MS) });
    await dispatchAgain(id, 1);
    expect((await endOf(test.client, id)).state).to.equal(TaskState.COMPLETED);
  });
});
