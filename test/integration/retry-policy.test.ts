import { expect } from "chai";
import { AttemptOutcome, TaskState, type CreateOptions, type Task } from "#libs/client/taskwire-client.js";
import { fixturePath } from "#test/fixtures/tasks/fixture-path.js";
import { endOf, eventOf, historyOf, kindsOf, valuesOf } from "#test/support/follow-task.js";
import { Gate } from "#test/support/gate.js";
import { startTestStack, type TestStack } from "#test/support/test-stack.js";
import { until } from "#test/support/until.js";

describe("The retry policy decides which errors are retried, when, and until when", function () {
  this.timeout(60_000);
  let test: TestStack;

  before(async () => {
    const modules = ["retry-tasks.js", "flow-tasks.js", "process-tasks.js"];
    test = await startTestStack({ workerArgs: modules.flatMap((file) => ["--tasks", fixturePath(file)]) });
  });
  after(() => test?.stop());

  /** A task as it ended. */
  async function ended(type: string, payload: Record<string, unknown>, options: CreateOptions = {}): Promise<Task> {
    const { id } = await test.client.create(type, payload, options);
    return endOf(test.client, id);
  }

  async function attemptsOf(id: string): Promise<string[]> {
    const attempts: string[] = [];
    for await (const { number, outcome, error, counted } of test.client.attempts(id))
      attempts.push([number, AttemptOutcome[outcome], error?.code, counted ? "counted" : "free"].join(" "));
    return attempts;
  }

  describe("codes", () => {
    const failing = (code: string, options: CreateOptions) =>
      ended("retry.coded", { code }, { maxAttempts: 2, ...options });

    it("retries a code among the retryable ones, and ends with the first error that is not", async () => {
      const codes = { retryableCodes: ["RATE_LIMITED", "HANDLER_ERROR"] };
      expect(await failing("RATE_LIMITED", codes)).to.include({ state: TaskState.FAILED, attempt: 2 });
      const task = await failing("NO_DISK", codes);
      expect(task).to.include({ state: TaskState.FAILED, attempt: 1 });
      expect(task.error).to.include({ code: "NO_DISK", message: "as asked" });
    });

    it("never retries a permanent code, and retries the others", async () => {
      const codes = { permanentCodes: ["RATE_LIMITED"] };
      expect(await failing("RATE_LIMITED", codes)).to.include({ state: TaskState.FAILED, attempt: 1 });
      expect(await failing("NO_DISK", codes)).to.include({ state: TaskState.FAILED, attempt: 2 });
    });

    it("cannot make an error retryable that the handler threw as permanent", async () => {
      const options = { retryableCodes: ["NO_SUCH_USER"], maxAttempts: 3 };
      const task = await ended("process.outcomes", { outcome: "permanent" }, options);
      expect(task).to.include({ state: TaskState.FAILED, attempt: 1 });
      expect(task.error).to.include({ code: "NO_SUCH_USER", retryable: false });
    });

    it("takes outcomes that no handler can throw as codes too", async () => {
      const options = { hardTimeoutMs: 150, maxAttempts: 2, initialDelayMs: 0 };
      const once = await ended("process.spin", {}, { ...options, permanentCodes: ["HARD_TIMEOUT"] });
      expect(once).to.include({ attempt: 1 }).and.to.have.nested.property("error.code", "HARD_TIMEOUT");
      const twice = await ended("process.spin", {}, { ...options, retryableCodes: ["HARD_TIMEOUT"] });
      expect(twice).to.include({ attempt: 2 }).and.to.have.nested.property("error.code", "HARD_TIMEOUT");
      expect(await attemptsOf(twice.id)).to.deep.equal([
        "1 FAILED HARD_TIMEOUT counted",
        "2 FAILED HARD_TIMEOUT counted",
      ]);
    });
  });

  describe("whose word counts", () => {
    it("the handler's own settings, where the task says nothing", async () => {
      const task = await ended("retry.choosy", {});
      expect(task).to.include({ state: TaskState.FAILED, attempt: 1, maxAttempts: 5 });
      expect((task.deadlineTime?.getTime() ?? 0) - (task.createTime?.getTime() ?? 0)).to.equal(600_000);
    });

    it("the task's, where both say something", async () => {
      const totalTimeoutMs = 300_000;
      const codes = { retryableCodes: ["UNSTABLE"] };
      const task = await ended("retry.choosy", {}, { maxAttempts: 2, totalTimeoutMs, ...codes });
      expect(task).to.include({ state: TaskState.FAILED, attempt: 2, maxAttempts: 2 });
      expect((task.deadlineTime?.getTime() ?? 0) - (task.createTime?.getTime() ?? 0)).to.equal(totalTimeoutMs);
      expect(task.retryPolicy).to.deep.include({ ...codes, permanentCodes: [] });
    });
  });

  describe("waits", () => {
    it("waits exactly as long as the error asks for, whatever the policy says", async () => {
      const payload = { code: "RATE_LIMITED", retryAfterMs: 400 };
      const { id } = await test.client.create("retry.coded", payload, { maxAttempts: 2, maximumDelayMs: 0 });
      const events = await historyOf(test.client, id);
      const failedAt = events.find(({ kind }) => kind?.$case === "retryScheduled")?.time?.getTime() ?? 0;
      const dueAt = valuesOf(events, "retryScheduled")[0]?.runTime?.getTime() ?? 0;
      expect(dueAt - failedAt).to.equal(400);
      const restartedAt = events.findLast(({ kind }) => kind?.$case === "started")?.time?.getTime() ?? 0;
      expect(restartedAt).to.be.at.least(dueAt);
    });

    it("stays within the policy's delays where the error asks for nothing", async () => {
      const options = { maxAttempts: 4, initialDelayMs: 40, multiplier: 10, maximumDelayMs: 100 };
      const { id } = await test.client.create("retry.coded", { code: "NO_DISK" }, options);
      const waits = (await historyOf(test.client, id)).flatMap(({ kind, time }) =>
        kind?.$case === "retryScheduled" ? [(kind.value.runTime?.getTime() ?? 0) - (time?.getTime() ?? 0)] : [],
      );
      expect(waits).to.have.lengthOf(3);
      for (const [index, wait] of waits.entries()) expect(wait).to.be.within(0, index === 0 ? 40 : 100);
    });
  });

  describe("total timeout", () => {
    it("ends a task at once whose next attempt would come too late, and names its last error", async () => {
      const payload = { code: "RATE_LIMITED", retryAfterMs: 3_600_000 };
      const { id } = await test.client.create("retry.coded", payload, { totalTimeoutMs: 60_000 });
      expect(kindsOf(await historyOf(test.client, id))).to.deep.equal(["created", "started", "failed"]);
      const task = await test.client.get(id);
      expect(task.error).to.include({ code: "TOTAL_TIMEOUT" });
      expect(task.error?.details).to.deep.include({ lastError: { code: "RATE_LIMITED", message: "as asked" } });
      expect(await attemptsOf(id)).to.deep.equal(["1 FAILED RATE_LIMITED counted"]);
    });

    it("ends a task that nobody can run", async () => {
      const { id } = await test.client.create("nobody.home", {}, { totalTimeoutMs: 200 });
      const events = await historyOf(test.client, id);
      expect(kindsOf(events)).to.deep.equal(["created", "failed"]);
      const task = await test.client.get(id);
      expect(task).to.include({ state: TaskState.FAILED, attempt: 0 });
      expect(task.error).to.include({ code: "TOTAL_TIMEOUT" });
      expect(events.at(-1)?.time?.getTime()).to.be.at.least(task.deadlineTime?.getTime() ?? Infinity);
      expect(await attemptsOf(id)).to.deep.equal([]);
    });

    it("counts from when the task is first due, not from its creation", async () => {
      const runTime = new Date(Date.now() + 3_600_000);
      const task = await test.client.create("nobody.home", {}, { runTime, totalTimeoutMs: 5000 });
      expect(task.deadlineTime?.getTime()).to.equal(runTime.getTime() + 5000);
      await test.client.cancel(task.id);
    });

    it("lets an attempt finish that runs by then", async () => {
      const gate = new Gate(test.dataDir, "late");
      const { id } = await test.client.create("flow.gate", gate.payload, { totalTimeoutMs: 5000 });
      const { event } = await eventOf(test.client, id, "started");
      const { deadlineTime } = await test.client.get(id);
      expect(event.time?.getTime()).to.be.below(deadlineTime?.getTime() ?? 0);
      await until("the deadline has passed", () => Date.now() > (deadlineTime?.getTime() ?? Infinity) + 1000);
      gate.open();
      expect(await endOf(test.client, id)).to.deep.include({ state: TaskState.COMPLETED, result: { attempt: 1 } });
    });

    it("ends a task that keeps asking to be run later", async () => {
      const task = await ended("process.outcomes", { outcome: "later" }, { totalTimeoutMs: 1000 });
      expect(task).to.include({ state: TaskState.FAILED }).and.to.have.nested.property("error.code", "TOTAL_TIMEOUT");
      expect(task.error?.details).to.have.nested.property("lastError.code", "RETRY_LATER");
      expect(await attemptsOf(task.id)).to.deep.equal(["1 RELEASED RETRY_LATER free"]);
    });
  });
});
