import { setTimeout as wait } from "node:timers/promises";
import { expect } from "chai";
import { defineTask, PermanentError, TaskAborted, type TaskContext } from "#libs/define-task/define-task.js";
import { startTask, type TaskRunOptions } from "#libs/testing/run-task.js";
import { rejectionOf } from "#test/support/rejection-of.js";

const LIMITS = { softTimeoutMs: 1000, hardTimeoutMs: 3000, maxAttempts: 1 } as const;

/** Resolves when the signal fires. */
function stopOf({ signal }: TaskContext): Promise<unknown> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(signal.reason);
    signal.addEventListener("abort", () => {
      resolve(signal.reason);
    });
  });
}

const obedient = defineTask("test.obedient", LIMITS, async (task) => {
  throw await stopOf(task);
});
const stubborn = defineTask("test.stubborn", LIMITS, async (task) => {
  task.log.info("going on");
  await stopOf(task);
  task.log.info("told to stop");
  await new Promise(() => undefined);
});
const lastWord = defineTask("test.last_word", LIMITS, async (task) => {
  await stopOf(task);
  return "in time";
});

describe("a TaskRun", () => {
  const causeOf = (thrown: unknown) => (thrown instanceof TaskAborted ? thrown.abortCause : undefined);

  it("stands still until its clock is moved", async () => {
    const run = startTask(stubborn, {});
    await run.advance(0);
    expect([run.state, run.elapsedMs, run.logs.length]).to.deep.equal(["RUNNING", 0, 1]);
    await run.advance(999);
    expect([run.state, run.elapsedMs, run.logs.length]).to.deep.equal(["RUNNING", 999, 1]);
    await run.advance(1);
    expect(run.logs.at(-1)?.message).to.equal("told to stop");
  });

  it("fires the signal at the soft limit, which fails the attempt unless it ends with a result", async () => {
    const run = startTask(obedient, {});
    await run.reachSoftLimit();
    expect(run.state).to.equal("FAILED");
    expect(run.error).to.deep.include({ code: "SOFT_TIMEOUT", retryable: true });
    expect(run.error?.details).to.deep.include({ handlerCode: "HANDLER_ERROR" });
    expect(causeOf(run.attempts[0]?.thrown)).to.equal("soft-timeout");
    const inTime = startTask(lastWord, {});
    await inTime.reachSoftLimit();
    expect(inTime.result).to.equal("in time");
  });

  it("kills at the hard limit, and hears nothing more", async () => {
    const run = startTask(stubborn, {});
    await run.reachHardLimit();
    expect(run.state).to.equal("FAILED");
    expect(run.error).to.include({ code: "HARD_TIMEOUT", message: "the hard limit of 3000 ms was reached" });
    expect(run.elapsedMs).to.equal(3000);
  });

  it("moves the clock to a limit, not by it, and not for ever where there is none", async () => {
    const run = startTask(stubborn, {});
    await run.advance(700);
    await run.reachSoftLimit();
    const atSoftLimit = run.elapsedMs;
    await run.reachHardLimit();
    expect([atSoftLimit, run.elapsedMs, run.error?.code]).to.deep.equal([1000, 3000, "HARD_TIMEOUT"]);
    const unlimited = startTask(stubborn, {}, { softTimeoutMs: 5000 });
    expect(await rejectionOf(unlimited.reachSoftLimit())).to.be.instanceOf(RangeError);
    unlimited.crash();
  });

  it("takes limits of the run before those of the type", async () => {
    const run = startTask(obedient, {}, { softTimeoutMs: 50 });
    await run.advance(50);
    expect(run.error).to.include({ message: "the soft limit of 50 ms was reached" });
  });

  it("tries again after a limit when attempts are left", async () => {
    const run = startTask(obedient, {}, { maxAttempts: 2 });
    await run.advance(1000);
    expect([run.state, run.attempts[0]?.delayMs]).to.deep.equal(["PENDING", 1000]);
    await run.advance(999);
    expect(run.state).to.equal("PENDING");
    await run.advance(1);
    expect(run.state).to.equal("RUNNING");
    await run.advance(1000);
    expect([run.state, run.attempts.length, run.elapsedMs]).to.deep.equal(["FAILED", 2, 3000]);
  });

  it("is cancelled: by its handler, or when the grace period is over", async () => {
    const run = startTask(obedient, {});
    await run.advance(10);
    run.cancel("changed my mind");
    await run.toEnd();
    expect([run.state, run.error?.code, run.error?.message]).to.deep.equal([
      "CANCELLED",
      "CANCELLED",
      "changed my mind",
    ]);
    expect(causeOf(run.attempts[0]?.thrown)).to.equal("cancelled");
    const long = startTask(stubborn, {}, { graceMs: 200 });
    await long.advance(10);
    long.cancel();
    await long.advance(199);
    expect(long.state).to.equal("RUNNING");
    await long.advance(1);
    expect(long.state).to.equal("CANCELLED");
  });

  it("completes when the handler has a result in spite of a cancel", async () => {
    const run = startTask(lastWord, {});
    run.cancel();
    await run.toEnd();
    expect([run.state, run.result]).to.deep.equal(["COMPLETED", "in time"]);
  });

  it("is cancelled at once while it waits, and once it has ended not at all", async () => {
    const run = startTask(obedient, {}, { maxAttempts: 2 });
    await run.reachSoftLimit();
    run.cancel();
    expect(run.state).to.equal("CANCELLED");
    await run.advance(100_000);
    expect(run.attempts).to.have.lengthOf(1);
    run.cancel();
    run.shutdown();
    expect(run.state).to.equal("CANCELLED");
  });

  it("is handed back at a shutdown and runs again, uncounted", async () => {
    for (const task of [obedient, stubborn]) {
      const run = startTask(task, {}, { graceMs: 100 });
      await run.advance(0);
      run.shutdown();
      await run.advance(100);
      expect(run.attempts[0])
        .to.deep.include({ outcome: "released", delayMs: 0 })
        .and.have.nested.property("error.code", "WORKER_SHUTDOWN");
      expect(run.state).to.equal("RUNNING");
      await run.reachHardLimit();
      expect([run.state, run.attempts.length]).to.deep.equal(["FAILED", 2]);
    }
  });

  it("keeps a permanent error that is thrown at a shutdown", async () => {
    const task = defineTask("test.firm", {}, async (context) => {
      await stopOf(context);
      throw new PermanentError("NO", "never");
    });
    const run = startTask(task, {});
    run.shutdown();
    await run.toEnd();
    expect(run.error).to.include({ code: "NO" });
  });

  it("crashes when asked to", async () => {
    const run = startTask(stubborn, {});
    run.crash(7);
    await run.toEnd();
    expect(run.error).to.deep.include({ code: "CRASHED", details: { exitCode: 7 } });
  });

  it("cannot go back in time", async () => {
    const run = startTask(lastWord, {});
    const error: unknown = await run.advance(-1).catch((reason: unknown) => reason);
    expect(error).to.be.instanceOf(RangeError);
    run.cancel();
    await run.toEnd();
  });

  describe("with fake timers", () => {
    const FAKE: TaskRunOptions = { fakeTimers: true, startTime: new Date("2026-01-01T00:00:00Z") };

    it("moves a handler's waits and dates on with its clock", async () => {
      const task = defineTask("test.patient", {}, async (context) => {
        const seen: string[] = [];
        for (let round = 0; round < 3; round += 1) {
          await wait(60_000, undefined, { signal: context.signal });
          seen.push(new Date().toISOString().slice(11, 19), String(Date.now() % 60_000));
        }
        await new Promise<void>((resolve) => {
          const timer = setInterval(() => {
            clearInterval(timer);
            resolve();
          }, 1000);
        });
        clearTimeout(setTimeout(() => seen.push("never"), 10));
        return seen;
      });
      const run = startTask(task, {}, FAKE);
      await run.advance(180_999);
      expect(run.state).to.equal("RUNNING");
      await run.advance(1);
      await run.toEnd();
      expect(run.result).to.deep.equal(["00:01:00", "0", "00:02:00", "0", "00:03:00", "0"]);
      expect(Date.now()).to.be.above(new Date("2026-01-02").getTime());
    });

    it("ends a wait when the signal fires", async () => {
      const task = defineTask("test.waiting", LIMITS, async ({ signal }) => {
        await wait(60_000, undefined, { signal });
      });
      const run = startTask(task, {}, FAKE);
      await run.reachSoftLimit();
      expect(run.error).to.include({ code: "SOFT_TIMEOUT" });
      expect(run.attempts[0]?.thrown).to.include({ name: "AbortError", code: "ABORT_ERR" });
    });

    it("fakes them for one task at a time, and gives them back", () => {
      const real = globalThis.setTimeout;
      const run = startTask(stubborn, {}, FAKE);
      expect(globalThis.setTimeout).to.not.equal(real);
      expect(() => startTask(stubborn, {}, FAKE)).to.throw(/end or close it first/);
      run.close();
      run.close();
      expect(globalThis.setTimeout).to.equal(real);
    });
  });
});
