import { expect } from "chai";
import {
  AttemptOutcome,
  TaskState,
  type CreateOptions,
  type Task,
  type TaskAttempt,
  type TaskEvent,
} from "#libs/client/taskwire-client.js";
import { fixturePath } from "#test/fixtures/tasks/fixture-path.js";
import { eventOf, expectWholeHistory, historyOf, kindsOf, valuesOf } from "#test/support/follow-task.js";
import { startTestStack, type TestStack } from "#test/support/test-stack.js";
import { until } from "#test/support/until.js";

const MIB = 1024 * 1024;

interface Failure {
  readonly code: string;
  readonly type: string;
  readonly payload?: Record<string, unknown>;
  readonly options?: CreateOptions;
  readonly retryable: boolean;
  readonly message: RegExp;
  /** Facts that must be in the details. */
  readonly details?: Record<string, unknown>;
}

const FAILURES: readonly Failure[] = [
  {
    code: "SOFT_TIMEOUT",
    type: "process.sleep",
    payload: { ms: 60_000 },
    options: { softTimeoutMs: 100, hardTimeoutMs: 60_000 },
    retryable: true,
    message: /soft limit of 100 ms/,
  },
  {
    code: "HARD_TIMEOUT",
    type: "process.spin",
    options: { hardTimeoutMs: 300 },
    retryable: true,
    message: /hard limit of 300 ms/,
  },
  {
    code: "CRASHED",
    type: "process.crash",
    payload: { code: 3, words: "goodbye" },
    retryable: true,
    message: /exit code 3/,
    details: { exitCode: 3, stderr: "goodbye" },
  },
  {
    code: "CRASHED",
    type: "trouble.signalled",
    payload: { signal: "SIGSEGV" },
    retryable: true,
    message: /SIGSEGV/,
    details: { signal: "SIGSEGV" },
  },
  {
    code: "OUT_OF_MEMORY",
    type: "process.eat-buffers",
    options: { memoryBytes: 64 * MIB },
    retryable: true,
    message: /more memory than its cap of 67108864 bytes/,
  },
  {
    code: "OUT_OF_MEMORY",
    type: "process.eat-heap",
    options: { memoryBytes: 64 * MIB },
    retryable: true,
    message: /more memory than its cap of 67108864 bytes/,
  },
  {
    code: "PAYLOAD_REJECTED",
    type: "process.typed",
    payload: { count: "three" },
    retryable: false,
    message: /count/,
  },
  { code: "RESULT_REJECTED", type: "trouble.unsound", retryable: false, message: /count/ },
  {
    code: "RESULT_REJECTED",
    type: "process.outcomes",
    payload: { outcome: "circular" },
    retryable: false,
    message: /not JSON/,
  },
  {
    code: "NO_SUCH_USER",
    type: "process.outcomes",
    payload: { outcome: "permanent" },
    retryable: false,
    message: /^the user is gone$/,
    details: { user: 7 },
  },
  {
    code: "RATE_LIMITED",
    type: "process.outcomes",
    payload: { outcome: "retryable" },
    retryable: true,
    message: /^slow down$/,
  },
  {
    code: "HANDLER_ERROR",
    type: "process.outcomes",
    payload: { outcome: "forged" },
    retryable: false,
    message: /^not really$/,
  },
  { code: "HANDLER_ERROR", type: "process.throw", retryable: true, message: /^Claude API timeout$/ },
];

describe("Each way an attempt can end has one stable code, in the task, its events and its attempts", function () {
  this.timeout(60_000);
  let test: TestStack;

  before(async () => {
    const modules = ["process-tasks.js", "flow-tasks.js", "trouble-tasks.js"];
    test = await startTestStack({
      workerArgs: modules.flatMap((name) => ["--tasks", fixturePath(name)]),
      workerEnv: { TASKWIRE_SLOTS: "2", TASKWIRE_CANCEL_GRACE_MS: "300" },
    });
  });
  after(() => test?.stop());

  async function attemptsOf(id: string): Promise<TaskAttempt[]> {
    const attempts: TaskAttempt[] = [];
    for await (const attempt of test.client.attempts(id)) attempts.push(attempt);
    return attempts;
  }

  async function ended(
    type: string,
    payload: Record<string, unknown> = {},
    options: CreateOptions = {},
  ): Promise<{ readonly task: Task; readonly events: TaskEvent[]; readonly attempts: TaskAttempt[] }> {
    const { id } = await test.client.create(type, payload, options);
    const events = await historyOf(test.client, id);
    expectWholeHistory(events);
    return { task: await test.client.get(id), events, attempts: await attemptsOf(id) };
  }

  for (const { code, type, payload, options, retryable, message, details } of FAILURES) {
    it(`${code} of ${type} ${JSON.stringify(payload ?? {})}`, async () => {
      const { task, events, attempts } = await ended(type, payload, { ...options, maxAttempts: 1 });
      expect(task).to.include({ state: TaskState.FAILED, attempt: 1 });
      expect(task.error).to.include({ code, retryable });
      expect(task.error?.message).to.match(message);
      if (details !== undefined) expect(task.error?.details).to.deep.include(details);
      expect(kindsOf(events).at(-1)).to.equal("failed");
      expect(valuesOf(events, "failed")[0]?.error).to.deep.equal(task.error);
      expect(attempts).to.have.lengthOf(1);
      expect(attempts[0]).to.deep.include({
        number: 1,
        workerId: test.stack.workers[0]?.ready.workerId,
        outcome: AttemptOutcome.FAILED,
        error: task.error,
        counted: true,
        startTime: task.startTime,
        endTime: task.endTime,
      });
    });
  }

  it("an error that may be repaired is followed by another attempt, after the time the handler asked for", async () => {
    const { task, events, attempts } = await ended("process.outcomes", { outcome: "retryable" }, { maxAttempts: 2 });
    expect(task.error).to.include({ code: "RATE_LIMITED" });
    expect(attempts.map(({ outcome, counted }) => [outcome, counted])).to.deep.equal([
      [AttemptOutcome.FAILED, true],
      [AttemptOutcome.FAILED, true],
    ]);
    const [retry] = valuesOf(events, "retryScheduled");
    const second = events.findLast(({ kind }) => kind?.$case === "started");
    expect(second?.time?.getTime()).to.be.at.least(retry?.runTime?.getTime() ?? Number.POSITIVE_INFINITY);
  });

  it("RETRY_LATER uses no attempt", async () => {
    const { task, events, attempts } = await ended("flow.later");
    expect(task).to.include({ state: TaskState.COMPLETED, attempt: 3, maxAttempts: 1, error: undefined });
    expect(valuesOf(events, "released").map(({ code }) => code)).to.deep.equal(["RETRY_LATER", "RETRY_LATER"]);
    expect(attempts.map(({ outcome, counted, error }) => [outcome, counted, error?.code])).to.deep.equal([
      [AttemptOutcome.RELEASED, false, "RETRY_LATER"],
      [AttemptOutcome.RELEASED, false, "RETRY_LATER"],
      [AttemptOutcome.SUCCEEDED, true, undefined],
    ]);
  });

  it("a partial failure is COMPLETED, with its warnings in the FULL view", async () => {
    const { task, attempts } = await ended("process.outcomes", { outcome: "partial" });
    expect(task).to.deep.include({ state: TaskState.COMPLETED, result: { done: 2 }, error: undefined });
    expect(task.warnings.map(({ code, message, details }) => [code, message, details])).to.deep.equal([
      ["WARNING", "one was skipped", undefined],
      ["SKIPPED", "another too", { index: 1 }],
    ]);
    expect((await test.client.get(task.id, { full: false })).warnings).to.deep.equal([]);
    expect(attempts.map(({ outcome, error }) => [outcome, error])).to.deep.equal([
      [AttemptOutcome.SUCCEEDED, undefined],
    ]);
  });

  it("CANCELLED, with the attempt that it stopped", async () => {
    const { client } = test;
    const { id } = await client.create("process.sleep", { ms: 60_000 });
    await eventOf(client, id, "progress");
    await client.cancel(id, "no longer wanted");
    expectWholeHistory(await historyOf(client, id));
    const task = await client.get(id);
    expect(task.error).to.include({ code: "CANCELLED", message: "no longer wanted", retryable: false });
    const attempts = await attemptsOf(id);
    expect(attempts.map(({ outcome, error }) => [outcome, error?.code])).to.deep.equal([
      [AttemptOutcome.CANCELLED, "CANCELLED"],
    ]);
  });

  it("WORKER_SHUTDOWN uses no attempt and is not the task's fault", async () => {
    const { client, stack } = test;
    const { id } = await client.create("process.spin", {}, { maxAttempts: 1 });
    await eventOf(client, id, "progress");
    const [worker] = stack.workers;
    await worker?.kill("SIGTERM");
    await until("the worker drains", async () => (await client.workers())[0]?.draining);
    // The second signal hurries.
    await worker?.kill("SIGTERM");
    await worker?.exited();
    const { value } = await eventOf(client, id, "released");
    expect(value.code).to.equal("WORKER_SHUTDOWN");
    const [attempt] = await attemptsOf(id);
    expect(attempt).to.include({ outcome: AttemptOutcome.RELEASED, counted: false });
    expect(attempt?.error).to.include({ code: "WORKER_SHUTDOWN" });
    expect((await client.cancel(id)).state).to.equal(TaskState.CANCELLED);
    await worker?.start();
  });
});
