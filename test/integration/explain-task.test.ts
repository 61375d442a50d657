import { expect } from "chai";
import { TaskState, type CreateOptions } from "#libs/client/taskwire-client.js";
import { fixturePath } from "#test/fixtures/tasks/fixture-path.js";
import { explainedBy, reasonsOf, valueOf } from "#test/support/explained.js";
import { endOf, eventOf } from "#test/support/follow-task.js";
import { Gate } from "#test/support/gate.js";
import { rejectionOf } from "#test/support/rejection-of.js";
import { runCli } from "#test/support/run-cli.js";
import { startTestStack, type TestStack } from "#test/support/test-stack.js";

const HOUR_MS = 3_600_000;
const UNKNOWN = "01900000-0000-7000-8000-000000000000";
/** The slot and what is dispatched beyond it. */
const IN_WINDOW = 3;

describe("ExplainTask says why a task is not running", function () {
  this.timeout(120_000);
  let test: TestStack;
  let workerId: string;

  before(async () => {
    test = await startTestStack({
      workerArgs: ["flow-tasks.js", "retry-tasks.js"].flatMap((file) => ["--tasks", fixturePath(file)]),
      workerEnv: { TASKWIRE_SLOTS: "1", TASKWIRE_HEARTBEAT_MS: "200", TASKWIRE_CANCEL_GRACE_MS: "60000" },
      serviceEnv: { TASKWIRE_LEASE_MS: "3000" },
    });
    workerId = test.stack.workers[0]?.ready.workerId ?? "";
  });
  after(() => test?.stop());

  const create = async (type: string, payload: Record<string, unknown> = {}, options: CreateOptions = {}) =>
    (await test.client.create(type, payload, options)).id;
  const explain = (id: string) => test.client.explain(id);

  it("delayed: it is due later, and its total timeout ends it", async () => {
    const runTime = new Date(Date.now() + HOUR_MS);
    const id = await create("flow.count", { to: 1 }, { runTime, totalTimeoutMs: HOUR_MS });
    const explanation = await explain(id);
    expect(explanation).to.include({ id, state: TaskState.PENDING });
    expect(reasonsOf(explanation)).to.deep.equal(["delayed", "totalTimeout"]);
    expect(valueOf(explanation, "delayed")).to.deep.equal({ runTime });
    const deadlineTime = new Date(runTime.getTime() + HOUR_MS);
    expect(valueOf(explanation, "totalTimeout")).to.deep.equal({ deadlineTime });
    expect(explanation.summary).to.match(
      /^The task is PENDING: it is due at \S+Z, in 59 min; no attempt starts after /,
    );
    await test.client.cancel(id);
    expect(reasonsOf(await explain(id))).to.deep.equal(["finished"]);
    expect(valueOf(await explain(id), "finished")).to.deep.include({ errorCode: "CANCELLED" });
  });

  it("waitingRetry: the next attempt is due later, and why there is one", async () => {
    const id = await create("retry.coded", { code: "BUSY", retryAfterMs: HOUR_MS }, { maxAttempts: 3 });
    const { value } = await eventOf(test.client, id, "retryScheduled");
    const explanation = await explain(id);
    expect(reasonsOf(explanation)).to.deep.equal(["waitingRetry"]);
    const { runTime } = value;
    const expected = { attempt: 2, countedAttempt: 2, maxAttempts: 3, runTime, errorCode: "BUSY" };
    expect(valueOf(explanation, "waitingRetry")).to.deep.equal(expected);
    expect(explanation.summary).to.match(/: attempt 2 of 3 is due at \S+Z, in 59 min, after BUSY\.$/);
    await test.client.cancel(id);
  });

  it("finished: how and when it ended", async () => {
    const done = await create("flow.count", { to: 1 });
    const { endTime } = await endOf(test.client, done);
    expect(await explain(done)).to.have.property("state", TaskState.COMPLETED);
    expect(valueOf(await explain(done), "finished")).to.deep.equal({ endTime, errorCode: "" });
    const failed = await create("retry.coded", { code: "BROKEN" }, { maxAttempts: 1 });
    await endOf(test.client, failed);
    expect((await explain(failed)).summary).to.match(/^The task is FAILED: it ended at \S+Z with BROKEN\.$/);
  });

  it("running, slotsBusy, dispatched, inLine: one has the slot, some are in NATS, the others wait in order", async () => {
    const gate = new Gate(test.dataDir, "line");
    const ids: string[] = [];
    for (let index = 0; index < IN_WINDOW; index += 1) ids.push(await create("flow.gate", gate.payload));
    const last = await create("flow.gate", gate.payload);
    const urgent = await create("flow.count", { to: 1 }, { priority: 5 });
    const [first = "", second = ""] = ids;
    const { event } = await eventOf(test.client, first, "started");

    const running = await explainedBy(test.client, first, "running");
    expect(reasonsOf(running)).to.deep.equal(["running"]);
    const { lastHeardTime, ...held } = valueOf(running, "running") ?? {};
    expect(held).to.deep.equal({ workerId, attempt: 1, startTime: event.time, workerAlive: true });
    expect((running.time?.getTime() ?? 0) - (lastHeardTime?.getTime() ?? 0)).to.be.within(0, 10_000);
    expect(running.summary).to.match(
      new RegExp(`: worker ${workerId} has had attempt 1 for \\d+ s and was heard \\d+ s ago`),
    );

    const inNats = await explainedBy(test.client, second, "dispatched", ({ confirmed }) => confirmed);
    expect(reasonsOf(inNats)).to.deep.equal(["dispatched", "slotsBusy"]);
    expect(valueOf(inNats, "dispatched")).to.include({ attempt: 1, repeats: 0, handedOut: false });

    const behind = await explainedBy(test.client, last, "inLine", ({ total }) => total === ids.length + 1);
    expect(reasonsOf(behind)).to.deep.equal(["slotsBusy", "inLine"]);
    const queue = "default";
    expect(valueOf(behind, "slotsBusy")).to.deep.include({ queue, slots: 1, running: 1, dispatched: IN_WINDOW - 1 });
    const line = { queue, total: 4, positionIsMinimum: false, totalIsMinimum: false };
    expect(valueOf(behind, "inLine")).to.deep.equal({ ...line, position: 4 });
    expect(valueOf(await explain(urgent), "inLine")).to.deep.equal({ ...line, position: 1 });
    expect(behind.summary).to.include(
      "the only slot of the workers of queue default is taken (1 running, 2 dispatched)",
    );
    expect(behind.summary).to.include("it is 4th of 4 due in queue default");
    gate.open();
    for (const id of [...ids, last, urgent]) await endOf(test.client, id);
  });

  it("noWorkers, noWorkerForType: nobody is there to start it", async () => {
    const alone = await create("flow.count", { to: 1 }, { queue: "elsewhere" });
    const explanation = await explain(alone);
    expect(reasonsOf(explanation)).to.deep.equal(["noWorkers", "inLine"]);
    expect(valueOf(explanation, "noWorkers")).to.deep.equal({ queue: "elsewhere", draining: 0 });
    expect(explanation.summary).to.include("no living worker takes tasks from queue elsewhere; it is 1st of 1 due");
    const unknown = await create("nobody.runs");
    const lacking = await explain(unknown);
    expect(reasonsOf(lacking)).to.deep.equal(["noWorkerForType", "inLine"]);
    const value = valueOf(lacking, "noWorkerForType");
    expect(value).to.include({ queue: "default", type: "nobody.runs", workers: 1 });
    expect(value?.workerTypes).to.include.members(["flow.count", "retry.coded", "system.health_check"]);
    for (const id of [alone, unknown]) await test.client.cancel(id);
  });

  it("refuses bad ids, says NOT_FOUND, and speaks on the command line", async () => {
    const refused = await rejectionOf(explain("x"));
    expect(refused).to.include({ code: "INVALID_ARGUMENT" }).and.to.have.nested.property("violations[0].field", "id");
    expect(await rejectionOf(explain(UNKNOWN))).to.include({ code: "NOT_FOUND", reason: "TASK_NOT_FOUND" });
    const id = await create("nobody.runs", {}, { queue: "elsewhere" });
    const taskwire = (...args: string[]) => runCli(["explain", ...args], { env: { TASKWIRE_ADDRESS: test.address } });
    const { stdout, exitCode } = await taskwire(id);
    expect(exitCode).to.equal(0);
    expect(stdout.trimEnd().split("\n")).to.deep.equal([
      (await explain(id)).summary,
      "  noWorkers: no living worker takes tasks from queue elsewhere",
      "  inLine: it is 1st of 1 due in queue elsewhere",
    ]);
    const json = JSON.parse((await taskwire(id, "--json")).stdout) as Record<string, unknown>;
    expect(json).to.include({ id, state: "PENDING" });
    expect(json).to.have.nested.property("reasons[0].noWorkers.queue", "elsewhere");
    expect((await taskwire(UNKNOWN)).exitCode).to.equal(5);
    expect((await taskwire("x")).exitCode).to.equal(2);
  });

  it("cancelRequest: asked for while the handler does not listen", async () => {
    const id = await create("flow.deaf");
    await eventOf(test.client, id, "progress");
    const { cancelRequestTime } = await test.client.cancel(id, "enough");
    const explanation = await explain(id);
    expect(explanation.state).to.equal(TaskState.RUNNING);
    expect(reasonsOf(explanation)).to.deep.equal(["cancelRequest", "running"]);
    const asked = { requestTime: cancelRequestTime, reason: "enough" };
    expect(valueOf(explanation, "cancelRequest")).to.deep.equal(asked);
    expect(explanation.summary).to.match(
      /: a cancel was asked for \d+ s ago \(enough\) and is not answered yet; worker /,
    );
    await test.stack.workers[0]?.kill();
    await endOf(test.client, id);
  });
});
