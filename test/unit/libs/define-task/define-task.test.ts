import { expect } from "chai";
import { z } from "zod";
import { defineTask, isTaskDefinition } from "#libs/define-task/define-task.js";

describe("defineTask", () => {
  it("makes a definition that is recognised", () => {
    const task = defineTask("report.generate", { maxAttempts: 5 }, () => 1);
    expect(isTaskDefinition(task)).to.equal(true);
    expect(task).to.deep.include({ type: "report.generate", options: { maxAttempts: 5 } });
  });

  it("recognises a definition of another copy of the package", () => {
    expect(
      isTaskDefinition({ [Symbol.for("taskwire.task-definition")]: true, type: "a", options: {}, handler: () => 1 }),
    ).to.equal(true);
    expect([undefined, null, 1, "a", {}, () => 1].some(isTaskDefinition)).to.equal(false);
  });

  it("types payload and result by their schemas", () => {
    const task = defineTask(
      "a.b",
      { payload: z.object({ n: z.coerce.number() }), result: z.object({ text: z.string() }) },
      ({ payload }) => ({
        text: payload.n.toFixed(1),
      }),
    );
    expect(task.options.payload).to.not.equal(undefined);
  });

  const codes = (count: number) => Array.from({ length: count }, (_code, index) => `CODE_${index}`);
  const DAY_MS = 24 * 3600 * 1000;
  for (const options of [
    { totalTimeoutMs: 10 },
    { totalTimeoutMs: 366 * DAY_MS },
    { retryableCodes: codes(50), permanentCodes: ["A".repeat(63)] },
    { retryableCodes: [], permanentCodes: ["HARD_TIMEOUT", "CRASHED"] },
  ]) {
    it(`takes ${JSON.stringify(options).slice(0, 60)}`, () => {
      expect(defineTask("a.b", options, () => 1).options).to.deep.equal(options);
    });
  }

  for (const [options, words] of [
    [{ totalTimeoutMs: 9 }, "totalTimeoutMs must be a whole number in 10–"],
    [{ totalTimeoutMs: 366 * DAY_MS + 1 }, "totalTimeoutMs must be"],
    [{ retryableCodes: codes(51) }, "retryableCodes must be a list of at most 50"],
    [{ permanentCodes: codes(51) }, "permanentCodes must be a list of at most 50"],
    [{ retryableCodes: ["lower"] }, "retryableCodes must be"],
    [{ permanentCodes: ["A".repeat(64)] }, "permanentCodes must be"],
    [{ retryableCodes: ["A", "B"], permanentCodes: ["B"] }, "B cannot be both in retryableCodes and in permanentCodes"],
  ] as const) {
    it(`refuses ${JSON.stringify(options).slice(0, 60)}`, () => {
      expect(() => defineTask("a.b", options, () => 1)).to.throw(TypeError, words);
    });
  }

  it("names every wrong option at once", () => {
    const wrong = () =>
      defineTask("Not A Type", { maxAttempts: 0, softTimeoutMs: 1, memoryBytes: 5, multiplier: 99 }, () => 1);
    expect(wrong).to.throw(TypeError, /type "Not A Type".*maxAttempts.*multiplier.*softTimeoutMs.*memoryBytes/);
  });
});
