import { expect } from "chai";
import { z } from "zod";
import {
  defineTask,
  PartialFailure,
  PermanentError,
  RetryableError,
  RetryLater,
} from "#libs/define-task/define-task.js";
import { runTask, startTask } from "#libs/testing/run-task.js";
import { rejectionOf } from "#test/support/rejection-of.js";

const POLICY = { maxAttempts: 3, initialDelayMs: 1000, multiplier: 3 } as const;

describe("runTask", () => {
  const throwing = (errors: readonly (Error | undefined)[], options = {}) =>
    defineTask("test.throwing", { ...POLICY, ...options }, ({ attempt }) => {
      const error = errors[attempt - 1];
      if (error !== undefined) throw error;
      return { attempt };
    });

  it("hands the handler a checked payload and the facts of the attempt", async () => {
    const task = defineTask(
      "test.talkative",
      { payload: z.object({ name: z.string(), times: z.number().default(2) }), result: z.object({ at: z.string() }) },
      ({ payload, taskId, attempt, maxAttempts, deadline }) => ({
        at: [payload.name, payload.times, taskId, attempt, maxAttempts, deadline.toISOString()].join(" "),
      }),
    );
    const run = await runTask(task, { name: "a" }, { taskId: "t", startTime: new Date(0), hardTimeoutMs: 60_000 });
    expect(run.state).to.equal("COMPLETED");
    expect(run.result).to.deep.equal({ at: "a 2 t 1 0 1970-01-01T00:01:00.000Z" });
  });

  it("collects what a handler says", async () => {
    const talk = defineTask("test.talk", {}, (context) => {
      context.progress(0.5, "half");
      context.progress({ current: 2, total: 3 });
      context.log.info("hello", { to: "you" });
      context.log.error("oh");
      context.output("a");
      context.output("b");
      context.output("c", "other");
    });
    const heard: unknown[] = [];
    const said = await runTask(
      talk,
      {},
      {
        onProgress: (progress) => heard.push(progress),
        onLog: ({ message }) => heard.push(message),
        onOutput: (text, name) => heard.push(`${name}:${text}`),
      },
    );
    expect(said.progress).to.deep.equal([
      { fraction: 0.5, message: "half" },
      { current: 2, total: 3 },
    ]);
    expect(said.logs).to.deep.equal([
      { level: "info", message: "hello", fields: { to: "you" }, attempt: 1 },
      { level: "error", message: "oh", fields: {}, attempt: 1 },
    ]);
    expect([said.output(), said.output("other"), said.output("none")]).to.deep.equal(["ab", "c", ""]);
    expect(heard).to.deep.equal([...said.progress, "hello", "oh", "output:a", "output:b", "other:c"]);
    expect(said.result).to.equal(null);
  });

  it("cuts what is said to a worker's bounds", async () => {
    const flood = defineTask("test.flood", {}, (context) => {
      for (let line = 0; line < 2000; line += 1) context.log.info("x");
      context.progress(7, "m".repeat(300));
      context.output("o".repeat(2 * 1024 * 1024));
    });
    const run = await runTask(flood, {});
    expect(run.logs).to.have.lengthOf(1000);
    expect(run.progress[0]).to.include({ fraction: 1 }).and.have.nested.property("message.length", 200);
    expect(run.output()).to.have.lengthOf(1024 * 1024);
  });

  it("checks payload and result as a worker does, without the handler where the payload is wrong", async () => {
    let calls = 0;
    const schemas = { payload: z.object({ n: z.number() }), result: z.object({ n: z.number().max(9) }) };
    const task = defineTask("test.checked", schemas, ({ payload }) => {
      calls += 1;
      return { n: payload.n };
    });
    const refused = await runTask(task, { n: "many" });
    expect(refused.state).to.equal("FAILED");
    expect(refused.error).to.include({ code: "PAYLOAD_REJECTED", retryable: false });
    expect(refused.error?.details).to.have.nested.property("issues[0].path", "n");
    expect(calls).to.equal(0);
    expect((await runTask(task, { n: 10 })).error).to.include({ code: "RESULT_REJECTED" });
    expect(
      (
        await runTask(
          defineTask("test.odd", {}, () => 1n),
          {},
        )
      ).error,
    ).to.include({ code: "RESULT_REJECTED" });
  });

  it("refuses payloads that the service would not take, and what defineTask did not make", async () => {
    const task = defineTask("test.any", {}, () => null);
    for (const payload of [[], { text: "x".repeat(300_000) }]) {
      expect(await rejectionOf(runTask(task, payload))).to.be.instanceOf(TypeError);
    }
    expect(
      await rejectionOf(runTask({ ...task, [Symbol.for("taskwire.task-definition")]: false }, {})),
    ).to.be.instanceOf(TypeError);
  });

  it("runs attempts by the retry policy and tells the delays, with no time lost", async () => {
    const run = await runTask(
      throwing([new Error("one"), new RetryableError("BUSY", "two", { retryAfterMs: 70 })]),
      {},
    );
    expect(run.state).to.equal("COMPLETED");
    expect(run.result).to.deep.equal({ attempt: 3 });
    expect(
      run.attempts.map(({ number, outcome, delayMs, error }) => [number, outcome, delayMs, error?.code]),
    ).to.deep.equal([
      [1, "failed", 1000, "HANDLER_ERROR"],
      [2, "failed", 70, "BUSY"],
      [3, "succeeded", undefined, undefined],
    ]);
    expect(run.elapsedMs).to.equal(1070);
  });

  it("ends when the policy says so: attempts, permanent errors and codes, the total timeout", async () => {
    const always = [1, 2, 3, 4].map((number) => new RetryableError("BUSY", `${number}`));
    expect((await runTask(throwing(always), {})).attempts.map(({ delayMs }) => delayMs)).to.deep.equal([
      1000,
      3000,
      undefined,
    ]);
    const gaveUp = await runTask(throwing([new PermanentError("GONE", "for good", { details: { id: 7 } })]), {});
    expect(gaveUp.attempts).to.have.lengthOf(1);
    expect(gaveUp.error).to.deep.include({ code: "GONE", message: "for good", retryable: false });
    expect(gaveUp.error?.details).to.include({ id: 7 });
    expect((await runTask(throwing(always, { permanentCodes: ["BUSY"] }), {})).attempts).to.have.lengthOf(1);
    expect((await runTask(throwing(always, { totalTimeoutMs: 2000 }), {})).error).to.include({ code: "TOTAL_TIMEOUT" });
    expect((await runTask(throwing(always), {}, { attempts: 2 })).state).to.equal("PENDING");
    expect((await runTask(throwing(always), {}, { attempt: 3 })).state).to.equal("FAILED");
    expect((await runTask(throwing(always), {}, { maxAttempts: 1 })).attempts).to.have.lengthOf(1);
    expect((await runTask(throwing(always), {}, { random: () => 0.5 })).attempts[0]?.delayMs).to.equal(500);
  });

  it("does not count what is run later", async () => {
    const run = await runTask(throwing([new RetryLater(5000, "not yet")], { maxAttempts: 1 }), {});
    expect(run.attempts.map(({ outcome, delayMs, error }) => [outcome, delayMs, error?.code])).to.deep.equal([
      ["released", 5000, "RETRY_LATER"],
      ["succeeded", undefined, undefined],
    ]);
  });

  it("completes partially, with warnings", async () => {
    const partial = new PartialFailure({ done: 2 }, [{ code: "SKIPPED", message: "one of them" }, "another"]);
    const run = await runTask(throwing([partial]), {});
    expect(run.state).to.equal("COMPLETED");
    expect(run.result).to.deep.equal({ done: 2 });
    expect(run.warnings.map(({ code, message }) => `${code} ${message}`)).to.deep.equal([
      "SKIPPED one of them",
      "WARNING another",
    ]);
    expect(run.attempts[0]?.thrown).to.equal(partial);
  });

  it("calls the handler only when startTask has returned", async () => {
    let calls = 0;
    const run = startTask(
      defineTask("test.later", {}, () => {
        calls += 1;
      }),
      {},
    );
    expect([calls, run.state, run.attempts.length]).to.deep.equal([0, "RUNNING", 0]);
    await run.toEnd();
    expect([calls, run.state, run.attempts.length]).to.deep.equal([1, "COMPLETED", 1]);
  });
});
