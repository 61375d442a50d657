import { expect } from "chai";
import { TaskState, type CreateOptions, type Task, type TaskEvent } from "#libs/client/taskwire-client.js";
import { fixturePath } from "#test/fixtures/tasks/fixture-path.js";
import { eventOf, expectWholeHistory, historyOf, kindsOf, valuesOf } from "#test/support/follow-task.js";
import { logLines } from "#test/support/log-lines.js";
import { startTestStack, type TestStack } from "#test/support/test-stack.js";
import { until } from "#test/support/until.js";

describe("Retries", function () {
  this.timeout(60_000);
  let test: TestStack;

  before(async () => {
    test = await startTestStack({
      workerArgs: ["--tasks", fixturePath("process-tasks.js"), "--tasks", fixturePath("flow-tasks.js")],
    });
  });
  after(() => test?.stop());

  async function ended(
    type: string,
    payload: Record<string, unknown>,
    options: CreateOptions,
  ): Promise<{ readonly task: Task; readonly events: TaskEvent[] }> {
    const { id } = await test.client.create(type, payload, options);
    const events = await historyOf(test.client, id);
    expectWholeHistory(events);
    return { task: await test.client.get(id), events };
  }

  it('a handler that throws Error("Claude API timeout") ends FAILED after its attempts (Accounted attempts)', async () => {
    const { task, events } = await ended("process.throw", {}, { maxAttempts: 3, initialDelayMs: 40 });
    expect(kindsOf(events)).to.deep.equal([
      ...["created", "started", "retryScheduled", "started", "retryScheduled", "started", "failed"],
    ]);
    expect(events.map(({ attempt }) => attempt)).to.deep.equal([0, 1, 1, 2, 2, 3, 3]);
    expect(task).to.include({ state: TaskState.FAILED, attempt: 3, maxAttempts: 3 });
    expect(task.error).to.include({ code: "HANDLER_ERROR", message: "Claude API timeout", retryable: true });
    expect(valuesOf(events, "failed")[0]?.error?.message).to.equal("Claude API timeout");
  });

  it("writes an ERROR line to the worker's log for each failed attempt", async () => {
    const { task } = await ended("process.throw", {}, { maxAttempts: 2, initialDelayMs: 0 });
    const linesOf = () =>
      logLines(test.dataDir, "worker-1").filter((line) => line["taskId"] === task.id && line.level === "error");
    const lines = await until("both lines are written", () => (linesOf().length === 2 ? linesOf() : undefined));
    expect(lines[1]).to.include({
      msg: "attempt failed",
      error: "Claude API timeout",
      attempt: 2,
      code: "HANDLER_ERROR",
    });
  });

  it("says when a waiting retry is due, and shows its error meanwhile", async () => {
    const { client } = test;
    const { id } = await client.create("process.outcomes", { outcome: "retryable" });
    const { event, value } = await eventOf(client, id, "retryScheduled");
    expect(event).to.include({ state: TaskState.PENDING, attempt: 1 });
    const waitMs = (value.runTime?.getTime() ?? 0) - (event.time?.getTime() ?? 0);
    expect(waitMs, "the handler asked for 1.5 s").to.equal(1500);
    const task = await client.get(id);
    expect(task).to.deep.include({ state: TaskState.PENDING, attempt: 1, runTime: value.runTime });
    expect(task.error).to.include({ code: "RATE_LIMITED", message: "slow down", retryable: true });
    await client.cancel(id);
    expect((await client.get(id)).state).to.equal(TaskState.CANCELLED);
  });

  it("ends at once after a permanent error, whatever attempts are left", async () => {
    const { task, events } = await ended("process.outcomes", { outcome: "permanent" }, { maxAttempts: 10 });
    expect(kindsOf(events)).to.deep.equal(["created", "started", "failed"]);
    expect(task).to.include({ state: TaskState.FAILED, attempt: 1 });
    expect(task.error).to.deep.include({ code: "NO_SUCH_USER", message: "the user is gone", retryable: false });
    expect(task.error?.details).to.include({ user: 7 });
  });

  it("lets the creator's number of attempts win over the handler's", async () => {
    const byHandler = await ended("flow.stubborn", {}, {});
    expect(byHandler.task).to.include({ state: TaskState.FAILED, attempt: 2, maxAttempts: 2 });
    const byCreator = await ended("flow.stubborn", {}, { maxAttempts: 1 });
    expect(byCreator.task).to.include({ state: TaskState.FAILED, attempt: 1, maxAttempts: 1 });
  });

  it("ends without a retry when the handler's schema refuses the payload, and names the fields", async () => {
    const { task, events } = await ended("process.typed", { count: "three" }, {});
    expect(kindsOf(events)).to.deep.equal(["created", "started", "failed"]);
    expect(task.error).to.include({ code: "PAYLOAD_REJECTED", retryable: false });
    expect(task.error?.message).to.include("count");
  });

  it("uses no attempt for RetryLater (Accounted attempts)", async () => {
    const { task, events } = await ended("flow.later", {}, {});
    expect(kindsOf(events)).to.deep.equal([
      ...["created", "started", "released", "started", "released", "started", "completed"],
    ]);
    expect(task).to.deep.include({ state: TaskState.COMPLETED, maxAttempts: 1, attempt: 3, result: { attempt: 3 } });
  });

  it("completes with warnings where a part has failed", async () => {
    const { task, events } = await ended("process.outcomes", { outcome: "partial" }, {});
    expect(task).to.deep.include({ state: TaskState.COMPLETED, result: { done: 2 }, error: undefined });
    const [completed] = valuesOf(events, "completed");
    expect(completed?.warnings.map(({ code, message }) => `${code}: ${message}`)).to.deep.equal([
      ...["WARNING: one was skipped", "SKIPPED: another too"],
    ]);
  });
});
