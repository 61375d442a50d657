import { join } from "node:path";
import { expect } from "chai";
import type { ServerResponse } from "node:http";
import { TaskState, type Task } from "#libs/client/taskwire-client.js";
import { fixturePath } from "#test/fixtures/tasks/fixture-path.js";
import { endOf, eventOf, expectWholeHistory, historyOf, kindsOf } from "#test/support/follow-task.js";
import { Gate } from "#test/support/gate.js";
import { startReceiver, type HttpReceiver, type ReceivedRequest } from "#test/support/http-receiver.js";
import { runCli } from "#test/support/run-cli.js";
import { startTestStack, type TestStack } from "#test/support/test-stack.js";
import { until } from "#test/support/until.js";
import { signWebhook } from "#worker/handlers/webhook-deliver/sign-webhook.js";

const SECRET = `whsec_${Buffer.alloc(32, 9).toString("base64")}`;

describe("When a task that asked for a webhook ends", function () {
  this.timeout(60_000);
  let test: TestStack;
  let receiver: HttpReceiver;
  const held: ServerResponse[] = [];

  before(async () => {
    receiver = await startReceiver((response, { path }) => {
      if (path === "/held" && held.length === 0) held.push(response);
      else if (path === "/busy" && requestsTo("/busy").length === 1) response.writeHead(503).end();
      else response.writeHead(path === "/refusing" ? 410 : 204).end();
    });
    test = await startTestStack({
      workerArgs: ["--tasks", fixturePath("flow-tasks.js")],
      workerEnv: { TASKWIRE_ALLOW_PRIVATE_ADDRESSES: "on", TASKWIRE_WEBHOOK_SECRET: SECRET, TASKWIRE_SLOTS: "4" },
    });
  });

  after(async () => {
    await test?.stop();
    await receiver?.close();
  });

  const requestsTo = (path: string) => receiver.requests.filter((request) => request.path === path);
  const arrived = (path: string): Promise<ReceivedRequest> =>
    until(`the webhook is at ${path}`, () => requestsTo(path)[0], 20_000);
  const deliveriesOf = async (id: string): Promise<Task[]> => {
    const tasks: Task[] = [];
    for await (const task of test.client.list({ labels: { webhook_task: id }, full: true })) tasks.push(task);
    return tasks;
  };
  const onlyDeliveryOf = async (id: string): Promise<Task> => {
    const [delivery, ...others] = await deliveriesOf(id);
    expect(others).to.deep.equal([]);
    return delivery ?? expect.fail("there is no delivery");
  };

  it("a signed message arrives, and the delivery is a task with a history of its own", async () => {
    const { client } = test;
    const url = `${receiver.url}/done`;
    const { id } = await client.create("system.no_op", {}, { webhook: url, labels: { team: "a" }, priority: 7 });
    const { headers, body } = await arrived("/done");
    const timestampSeconds = Number(headers["webhook-timestamp"]);
    const webhookId = String(headers["webhook-id"]);
    const wanted = signWebhook({ id: webhookId, timestampSeconds, body }, [SECRET]);
    expect(headers["webhook-signature"]).to.equal(wanted);
    const task = await client.get(id);
    expect(task.webhook).to.deep.equal({ url, states: [] });
    expect(webhookId).to.equal(`${id}_${task.sequence}`);
    expect(JSON.parse(body)).to.deep.equal({
      type: "task.completed",
      timestamp: task.endTime?.toISOString(),
      data: {
        id,
        type: "system.no_op",
        queue: "default",
        state: "COMPLETED",
        attempt: 1,
        sequence: task.sequence,
        error: null,
        labels: { team: "a" },
        createTime: task.createTime?.toISOString(),
        endTime: task.endTime?.toISOString(),
      },
    });
    const delivery = await onlyDeliveryOf(id);
    const ended = await endOf(client, delivery.id);
    expect(ended).to.include({ type: "webhook.deliver", state: TaskState.COMPLETED, priority: 7, maxAttempts: 4 });
    expect(ended.result).to.deep.equal({ deliveryId: webhookId, status: 204, signed: true });
    const history = await historyOf(client, delivery.id);
    expectWholeHistory(history);
    expect(kindsOf(history)).to.include.members(["created", "started", "progress", "completed"]);
  });

  it("a receiver that is busy is asked again, with the same id; one that refuses is not", async () => {
    const { client } = test;
    const busy = await client.create("system.no_op", {}, { webhook: `${receiver.url}/busy` });
    const refused = await client.create("system.no_op", {}, { webhook: `${receiver.url}/refusing` });
    await until("the second try is there", () => requestsTo("/busy").length > 1);
    const ids = new Set(requestsTo("/busy").map(({ headers }) => headers["webhook-id"]));
    expect(ids.size).to.equal(1);
    expect(await endOf(client, (await onlyDeliveryOf(busy.id)).id)).to.include({
      attempt: 2,
      state: TaskState.COMPLETED,
    });
    await arrived("/refusing");
    const failed = await endOf(client, (await onlyDeliveryOf(refused.id)).id);
    expect(failed).to.include({ attempt: 1, state: TaskState.FAILED });
    expect(failed.error).to.include({ code: "WEBHOOK_REJECTED", retryable: false });
  });

  it("the command line asks for it, and it tells of a task that was cancelled before it began", async () => {
    const args = ["--webhook", `${receiver.url}/cancelled`, "--delay", "1h", "--json", "--address", test.address];
    const { stdout, stderr } = await runCli(["submit", "system.no_op", ...args]);
    const { id } = JSON.parse(stdout || stderr) as { readonly id: string };
    await test.client.cancel(id);
    const { body } = await arrived("/cancelled");
    expect(JSON.parse(body)).to.deep.include({ type: "task.cancelled" }).and.have.nested.property("data.attempt", 0);
  });

  it("a kill of the service before the end is committed, or while the message is under way, neither loses nor doubles it", async () => {
    const { client, stack, dataDir } = test;
    const gate = new Gate(dataDir, "webhook");
    const early = await client.create("flow.gate", gate.payload, { webhook: `${receiver.url}/early` });
    const late = await client.create("system.no_op", {}, { webhook: `${receiver.url}/held` });
    await eventOf(client, early.id, "progress");
    await arrived("/held");
    await stack.service.kill();
    gate.open();
    held.pop()?.writeHead(204).end();
    await stack.service.start();
    await arrived("/early");
    for (const [{ id }, path] of [
      [early, "/early"],
      [late, "/held"],
    ] as const) {
      const delivery = await onlyDeliveryOf(id);
      expect(await endOf(client, delivery.id)).to.include({ state: TaskState.COMPLETED, attempt: 1 });
      expect(requestsTo(path)).to.have.lengthOf(1);
    }
    const verified = await runCli(["verify", "--database", join(dataDir, "taskwire.db")]);
    expect(verified.exitCode, verified.stdout).to.equal(0);
  });
});
