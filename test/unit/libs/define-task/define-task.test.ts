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

  it("names every wrong option at once", () => {
    const wrong = () =>
      defineTask("Not A Type", { maxAttempts: 0, softTimeoutMs: 1, memoryBytes: 5, multiplier: 99 }, () => 1);
    expect(wrong).to.throw(TypeError, /type "Not A Type".*maxAttempts.*multiplier.*softTimeoutMs.*memoryBytes/);
  });
});
