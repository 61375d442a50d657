import { statSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { TaskState, type CreateOptions } from "#libs/client/taskwire-client.js";
import { TaskCancelled_Phase as Phase } from "#libs/proto/gen/taskwire/v1/task_event.js";
import { fixturePath } from "#test/fixtures/tasks/fixture-path.js";
import { endOf, eventOf, expectWholeHistory, historyOf, kindsOf, valuesOf } from "#test/support/follow-task.js";
import { rejectionOf } from "#test/support/rejection-of.js";
import { startTestStack, type TestStack } from "#test/support/test-stack.js";

const SLOTS = 2;
const GRACE_MS = 500;
const SLACK_MS = 1000;
const MIB = 1024 * 1024;

describe("Stops when told", function () {
  this.timeout(60_000);
  let test: TestStack;

  before(async () => {
    test = await startTestStack({
      workerArgs: ["--tasks", fixturePath("process-tasks.js")],
      workerEnv: { TASKWIRE_SLOTS: String(SLOTS), TASKWIRE_CANCEL_GRACE_MS: String(GRACE_MS) },
    });
  });
  after(() => test?.stop());
  afterEach("the pool is whole", async () => {
    const { client } = test;
    const results = Array.from({ length: SLOTS * 3 }, (_slot, number) => client.run("process.echo", { number }));
    expect(await Promise.all(results)).to.deep.equal(results.map((_result, number) => ({ number })));
  });

  /** Starts a task and returns its id when its handler has begun. */
  async function begun(
    type: string,
    payload: Record<string, unknown> = {},
    options: CreateOptions = {},
  ): Promise<string> {
    const { id } = await test.client.create(type, payload, { maxAttempts: 1, ...options });
    await eventOf(test.client, id, "progress");
    return id;
  }

  /** Cancels a task that runs and returns how its cancel went. */
  async function cancelled(id: string) {
    const { client } = test;
    const askedMs = Date.now();
    const answer = await client.cancel(id, "no longer wanted");
    expect(answer.state).to.be.oneOf([TaskState.RUNNING, TaskState.CANCELLED]);
    expect(answer.cancelRequestTime?.getTime()).to.be.at.least(askedMs);
    const events = await historyOf(client, id);
    expectWholeHistory(events);
    return { events, tookMs: Date.now() - askedMs, end: valuesOf(events, "cancelled")[0] };
  }

  it("a task that spins for ever is stopped by its hard limit", async () => {
    const { client } = test;
    const hardTimeoutMs = 700;
    const { id } = await client.create("process.spin", {}, { maxAttempts: 1, softTimeoutMs: 300, hardTimeoutMs });
    const events = await historyOf(client, id);
    expectWholeHistory(events);
    expect(kindsOf(events)).to.deep.equal(["created", "started", "progress", "softLimitReached", "failed"]);
    expect(valuesOf(events, "failed")[0]?.error).to.include({ code: "HARD_TIMEOUT", retryable: true });
    const task = await client.get(id);
    const ranMs = (task.endTime?.getTime() ?? 0) - (task.startTime?.getTime() ?? 0);
    expect(ranMs).to.be.within(hardTimeoutMs - 50, hardTimeoutMs + GRACE_MS + SLACK_MS);
  });

  it("a task that spins for ever is stopped by CancelTask, and watchers see each phase", async () => {
    const { events, tookMs, end } = await cancelled(await begun("process.spin"));
    expect(tookMs).to.be.below(GRACE_MS + SLACK_MS);
    expect(end).to.deep.equal({ phase: Phase.KILLED, reason: "no longer wanted" });
    const phases = ["cancelRequested", "cancelDelivered", "cancelGraceExpired", "cancelled"];
    expect(kindsOf(events).slice(-4)).to.deep.equal(phases);
    expect(valuesOf(events, "cancelGraceExpired")).to.deep.equal([{ graceMs: GRACE_MS }]);
  });

  it("kills a handler that does not listen to its signal", async () => {
    const { events, tookMs, end } = await cancelled(await begun("process.ignore-abort", { ms: 60_000 }));
    expect(end?.phase).to.equal(Phase.KILLED);
    expect(tookMs).to.be.within(GRACE_MS - 50, GRACE_MS + SLACK_MS);
    const phases = ["cancelRequested", "cancelDelivered", "cancelAcknowledged", "cancelGraceExpired", "cancelled"];
    expect(kindsOf(events).slice(-5)).to.deep.equal(phases);
  });

  it("lets a handler that listens stop by itself", async () => {
    const { events, tookMs, end } = await cancelled(await begun("process.sleep", { ms: 60_000 }));
    expect(end?.phase).to.equal(Phase.COOPERATIVE);
    expect(tookMs).to.be.below(GRACE_MS);
    const phases = ["cancelRequested", "cancelDelivered", "cancelAcknowledged", "cancelled"];
    expect(kindsOf(events).slice(-4)).to.deep.equal(phases);
  });

  it("runs no code of a handler after CANCELLED, though it listened and left a timer running", async () => {
    const { client } = test;
    const journal = join(test.dataDir, "haunted");
    const { end } = await cancelled(await begun("process.haunt", { journal }));
    expect(end?.phase).to.equal(Phase.COOPERATIVE);
    const written = statSync(journal).size;
    for (let round = 0; round < 5; round += 1) await client.run("process.sleep", { ms: 20 });
    expect(statSync(journal).size).to.equal(written);
  });

  it("stops a handler that listens at its soft limit", async () => {
    const { client } = test;
    const limits = { maxAttempts: 1, softTimeoutMs: 200, hardTimeoutMs: 30_000 };
    const task = await endOf(client, (await client.create("process.sleep", { ms: 60_000 }, limits)).id);
    expect(task.state).to.equal(TaskState.FAILED);
    expect(task.error?.code).to.equal("SOFT_TIMEOUT");
  });

  it("cancels a task that has not started at once, delayed or behind others", async () => {
    const { client } = test;
    const busy = await Promise.all(Array.from({ length: SLOTS }, () => begun("process.spin")));
    const delayed = await client.create("process.echo", {}, { runTime: new Date(Date.now() + 3_600_000) });
    const behind = await Promise.all(Array.from({ length: 10 }, () => client.create("process.echo")));
    for (const { id } of [delayed, ...behind]) {
      const answer = await client.cancel(id, "changed my mind");
      expect(answer.state).to.equal(TaskState.CANCELLED);
      expect(answer.endTime).to.be.instanceOf(Date);
      const events = await historyOf(client, id);
      expect(kindsOf(events)).to.deep.equal(["created", "cancelRequested", "cancelled"]);
      const end = { phase: Phase.BEFORE_START, reason: "changed my mind" };
      expect(valuesOf(events, "cancelled")).to.deep.equal([end]);
    }
    await Promise.all(busy.map(cancelled));
  });

  it("answers a second cancel like the first", async () => {
    const { client } = test;
    const { id } = await client.create("process.echo", {}, { runTime: new Date(Date.now() + 3_600_000) });
    const first = await client.cancel(id);
    expect(await client.cancel(id, "again")).to.deep.equal(first);
    const running = await begun("process.sleep", { ms: 60_000 });
    const asked = await client.cancel(running, "first");
    const repeated = await client.cancel(running, "second");
    expect(repeated.cancelRequestTime).to.deep.equal(asked.cancelRequestTime);
    const requests = valuesOf(await historyOf(client, running), "cancelRequested");
    expect(requests).to.deep.equal([{ reason: "first" }]);
  });

  it("refuses to cancel a task that is COMPLETED (Clear refusals)", async () => {
    const { client } = test;
    const { id } = await client.create("process.echo");
    const before = await endOf(client, id);
    expect(await rejectionOf(client.cancel(id))).to.include({
      code: "FAILED_PRECONDITION",
      reason: "TASK_ALREADY_FINISHED",
    });
    expect(await client.get(id)).to.deep.equal(before);
  });

  it("ends a task that takes more memory than its cap as OUT_OF_MEMORY", async () => {
    const { client } = test;
    const options = { maxAttempts: 1, memoryBytes: 64 * MIB };
    const { error } = await endOf(client, (await client.create("process.eat-buffers", {}, options)).id);
    expect(error).to.include({ code: "OUT_OF_MEMORY", retryable: true });
    expect(error?.message).to.include(String(64 * MIB));
  });

  it("ends a task whose process exits as CRASHED with exit code and last words", async () => {
    const { client } = test;
    const { error } = await endOf(client, (await client.create("process.crash", { code: 3 }, { maxAttempts: 1 })).id);
    expect(error).to.include({ code: "CRASHED", retryable: true });
    expect(error?.details).to.deep.equal({ exitCode: 3, stderr: "last words" });
  });
});
