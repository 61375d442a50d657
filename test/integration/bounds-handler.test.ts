import { expect } from "chai";
import { TaskState, type Task, type TaskEvent } from "#libs/client/taskwire-client.js";
import * as limits from "#libs/tasks/limits.js";
import { fixturePath } from "#test/fixtures/tasks/fixture-path.js";
import { expectWholeHistory, historyOf, valuesOf } from "#test/support/follow-task.js";
import { startTestStack, type TestStack } from "#test/support/test-stack.js";

const LOG_LINES = 10;
const LOG_BYTES = 8 * 1024;
const OUTPUT_BYTES = 150_000;

describe("Every bound of what handlers say, below, at and above it (Bounded)", function () {
  this.timeout(60_000);
  let test: TestStack;

  before(async () => {
    test = await startTestStack({
      workerArgs: ["--tasks", fixturePath("trouble-tasks.js")],
      workerEnv: {
        TASKWIRE_LOG_LINES: String(LOG_LINES),
        TASKWIRE_LOG_BYTES: String(LOG_BYTES),
        TASKWIRE_OUTPUT_BYTES: String(OUTPUT_BYTES),
      },
    });
  });
  after(() => test?.stop());

  async function said(what: string, size: number, character = "x"): Promise<{ task: Task; events: TaskEvent[] }> {
    const { id } = await test.client.create("trouble.say", { what, size, character });
    const events = await historyOf(test.client, id);
    expectWholeHistory(events);
    return { task: await test.client.get(id), events };
  }

  it("a result of 256 KiB is kept whole, a larger one is RESULT_REJECTED", async () => {
    for (const size of [limits.MAX_JSON_BYTES - 1, limits.MAX_JSON_BYTES]) {
      expect((await said("result", size)).task.result).to.equal("x".repeat(size - 2));
    }
    const { task } = await said("result", limits.MAX_JSON_BYTES + 1);
    expect(task).to.include({ state: TaskState.FAILED, result: undefined });
    expect(task.error).to.include({ code: "RESULT_REJECTED", retryable: false });
    expect(task.error?.message).to.include(String(limits.MAX_JSON_BYTES + 1));
  });

  it("a result of 16 KiB is in its event, a larger one only in GetTask, and the event says so", async () => {
    const completed = async (size: number) => valuesOf((await said("result", size)).events, "completed")[0];
    const most = limits.MAX_EVENT_RESULT_BYTES;
    for (const size of [most - 1, most]) {
      expect(await completed(size)).to.include({ result: "x".repeat(size - 2), resultOmitted: false });
    }
    expect(await completed(most + 1)).to.include({ result: undefined, resultOmitted: true });
  });

  it("a result of 30 levels is kept, a deeper one is RESULT_REJECTED", async () => {
    for (const levels of [29, 30]) expect((await said("depth", levels)).task.state).to.equal(TaskState.COMPLETED);
    expect((await said("depth", 31)).task.error).to.include({ code: "RESULT_REJECTED" });
  });

  it("a log line of 4 KiB is kept whole, a longer one is cut and ends with …", async () => {
    const line = async (size: number) => valuesOf((await said("line", size)).events, "log")[0]?.message;
    for (const size of [limits.MAX_LOG_BYTES - 1, limits.MAX_LOG_BYTES]) {
      expect(await line(size)).to.equal("x".repeat(size));
    }
    const cut = await line(limits.MAX_LOG_BYTES + 1);
    expect(cut).to.equal(`${"x".repeat(limits.MAX_LOG_BYTES - 3)}…`);
  });

  it("log lines beyond their number are dropped, and the last one kept says so", async () => {
    for (const count of [LOG_LINES - 1, LOG_LINES, LOG_LINES + 1]) {
      const lines = valuesOf((await said("lines", count)).events, "log");
      const kept = Math.min(count, LOG_LINES);
      expect(lines.map(({ message }) => message)).to.deep.equal(
        Array.from({ length: kept }, (_, i) => `line ${i + 1}`),
      );
      expect(lines.map(({ capped }) => capped)).to.deep.equal(lines.map((_, i) => i === LOG_LINES - 1));
    }
  });

  it("output comes in chunks of at most 64 KiB, without a gap", async () => {
    const most = limits.MAX_OUTPUT_CHUNK_BYTES;
    for (const size of [most - 1, most, most + 1]) {
      const chunks = valuesOf((await said("output", size)).events, "output");
      expect(chunks.map(({ text }) => text.length)).to.deep.equal(size > most ? [most, size - most] : [size]);
      expect(chunks.map(({ offset }) => offset)).to.deep.equal(size > most ? [0, most] : [0]);
      expect(chunks.every(({ capped }) => !capped)).to.equal(true);
    }
  });

  it("output beyond its bytes is dropped, and the last chunk kept says so", async () => {
    for (const size of [OUTPUT_BYTES - 1, OUTPUT_BYTES, OUTPUT_BYTES + 1]) {
      const chunks = valuesOf((await said("output", size)).events, "output");
      expect(chunks.map(({ text }) => text).join("")).to.have.lengthOf(Math.min(size, OUTPUT_BYTES));
      const marks = chunks.map((_, index) => size >= OUTPUT_BYTES && index === chunks.length - 1);
      expect(chunks.map(({ capped }) => capped)).to.deep.equal(marks);
    }
  });

  it("a progress message of 200 characters is kept, a longer one is cut", async () => {
    const most = limits.MAX_PROGRESS_MESSAGE_CHARACTERS;
    const message = async (size: number) => valuesOf((await said("progress", size)).events, "progress")[0]?.message;
    for (const size of [most - 1, most]) expect(await message(size)).to.equal("x".repeat(size));
    expect(await message(most + 1)).to.equal(`${"x".repeat(most - 1)}…`);
  });

  it("20 warnings are kept of a partial failure, in the event and in GetTask", async () => {
    for (const count of [limits.MAX_WARNINGS - 1, limits.MAX_WARNINGS, limits.MAX_WARNINGS + 1]) {
      const { task, events } = await said("warnings", count);
      expect(task).to.include({ state: TaskState.COMPLETED, result: count });
      expect(task.warnings).to.have.lengthOf(Math.min(count, limits.MAX_WARNINGS));
      expect(valuesOf(events, "completed")[0]?.warnings).to.deep.equal(task.warnings);
    }
  });

  it("details of 8 KiB are kept, larger ones are left out and the stack alone remains", async () => {
    const detailsOf = async (size: number) => (await said("details", size)).task.error?.details;
    const most = limits.MAX_ERROR_DETAILS_BYTES;
    for (const size of [most - 1, most]) expect((await detailsOf(size))?.["text"]).to.have.lengthOf(size - 11);
    const left = await detailsOf(most + 1);
    expect(left).to.not.have.property("text");
    expect(left?.["stack"]).to.be.a("string");
  });

  it("a message of 500 characters is kept, a longer one is cut, and no surrogate pair is split", async () => {
    const message = async (size: number, character = "x") =>
      (await said("message", size, character)).task.error?.message;
    const most = limits.MAX_MESSAGE_CHARACTERS;
    for (const size of [most - 1, most]) expect(await message(size)).to.equal("x".repeat(size));
    expect(await message(most + 1)).to.equal(`${"x".repeat(most - 1)}…`);
    expect(await message(most / 2, "😀")).to.equal("😀".repeat(most / 2));
    expect(await message(most / 2 + 1, "😀")).to.equal(`${"😀".repeat(most / 2 - 1)}…`);
  });

  it("a stack of 4 KiB is kept, a longer one is cut", async () => {
    const stack = async (size: number): Promise<unknown> => (await said("stack", size)).task.error?.details?.["stack"];
    for (const size of [4095, 4096]) expect(await stack(size)).to.equal("x".repeat(size));
    expect(await stack(4097)).to.equal(`${"x".repeat(4095)}…`);
  });

  it("log bytes beyond their bound are dropped, and the last line kept says so", async () => {
    const most = LOG_BYTES / 1024;
    for (const count of [most - 1, most, most + 1]) {
      const lines = valuesOf((await said("kilobytes", count)).events, "log");
      expect(lines).to.have.lengthOf(Math.min(count, most));
      expect(lines.map(({ capped }) => capped)).to.deep.equal(lines.map((_, index) => index === most - 1));
    }
  });
});
