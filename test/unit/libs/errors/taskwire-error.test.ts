import { expect } from "chai";
import { invalidArgument, TaskwireError } from "#libs/errors/taskwire-error.js";

describe("invalidArgument", () => {
  it("names every field in its message and its violations", () => {
    const violations = [
      { field: "task.type", description: "is required" },
      { field: "page_size", description: "must not be negative" },
    ];
    const error = invalidArgument(violations);
    expect(error).to.be.instanceOf(TaskwireError);
    expect(error).to.include({ code: "INVALID_ARGUMENT", reason: "INVALID_FIELDS" });
    expect(error.message).to.contain("2 fields").and.to.contain("task.type").and.to.contain("page_size");
    expect(error.violations).to.deep.equal(violations);
    expect(invalidArgument(violations.slice(1)).message).to.equal("page_size: must not be negative");
  });
});

describe("TaskwireError", () => {
  it("keeps its cause for logs and has defaults for the rest", () => {
    const cause = new Error("disk full");
    const error = new TaskwireError({
      code: "UNAVAILABLE",
      reason: "DATABASE_UNAVAILABLE",
      message: "try again",
      cause,
    });
    expect(error.cause).to.equal(cause);
    expect(error.violations).to.deep.equal([]);
    expect(error.metadata).to.deep.equal({});
    expect(error.retryAfterMs).to.equal(undefined);
  });
});
