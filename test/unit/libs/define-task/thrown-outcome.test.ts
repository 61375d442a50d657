import { expect } from "chai";
import { PartialFailure, PermanentError, RetryableError, RetryLater } from "#libs/define-task/task-errors.js";
import { RESERVED_CODES, thrownOutcome } from "#libs/define-task/thrown-outcome.js";

describe("thrownOutcome", () => {
  it("takes anything thrown for a retryable failure", () => {
    for (const thrown of [new Error("boom"), "boom", { toString: () => "boom" }]) {
      expect(thrownOutcome(thrown)).to.deep.nested.include({
        kind: "failed",
        "error.code": "HANDLER_ERROR",
        "error.message": "boom",
      });
      expect(thrownOutcome(thrown)).to.deep.nested.include({ "error.retryable": true });
    }
  });

  it("survives things that cannot be shown", () => {
    const hostile = new Proxy(
      {},
      {
        get: () => {
          throw new Error("no");
        },
      },
    );
    for (const thrown of [hostile, Object.create(null), undefined, null, Symbol("s")])
      expect(thrownOutcome(thrown)).to.include({ kind: "failed" });
  });

  it("keeps code, message and details", () => {
    const outcome = thrownOutcome(new PermanentError("NO_USER", "gone", { details: { user: 7 } }));
    expect(outcome).to.deep.nested.include({
      "error.code": "NO_USER",
      "error.message": "gone",
      "error.retryable": false,
    });
    expect(outcome)
      .to.have.nested.property("error.detailsJson")
      .that.matches(/^\{"user":7,"stack":"PermanentError: gone/);
  });

  it("takes a message alone", () => {
    expect(thrownOutcome(new PermanentError("gone"))).to.deep.nested.include({
      "error.code": "HANDLER_ERROR",
      "error.message": "gone",
    });
    expect(thrownOutcome(new RetryableError("later", { retryAfterMs: 5 }))).to.deep.nested.include({
      "error.message": "later",
      retryAfterMs: 5,
    });
  });

  it("recognises errors of another copy of the package", () => {
    const foreign = Object.assign(new Error("gone"), {
      [Symbol.for("taskwire.thrown-kind")]: "permanent",
      code: "GONE",
    });
    expect(thrownOutcome(foreign)).to.deep.nested.include({ "error.code": "GONE", "error.retryable": false });
  });

  it("does not lend the codes that only Taskwire may use, nor malformed ones", () => {
    for (const code of [...RESERVED_CODES, "lower", "", "A".repeat(64), "9A"]) {
      expect(thrownOutcome(new PermanentError(code, "x"))).to.deep.nested.include({ "error.code": "HANDLER_ERROR" });
    }
  });

  it("does not take the code of a foreign error for one of ours", () => {
    expect(thrownOutcome(Object.assign(new Error("x"), { code: "ENOENT" }))).to.deep.nested.include({
      "error.code": "HANDLER_ERROR",
    });
  });

  it("keeps delays within a day", () => {
    expect(thrownOutcome(new RetryLater(-5))).to.deep.include({ kind: "retry-later", delayMs: 0 });
    expect(thrownOutcome(new RetryLater(1e12))).to.deep.include({ delayMs: 86_400_000 });
    expect(thrownOutcome(new RetryLater(Number.NaN))).to.deep.include({ delayMs: 0 });
  });

  it("marks that details beyond their bound are left out, and cuts messages", () => {
    const outcome = thrownOutcome(new PermanentError("BIG", "m".repeat(2000), { details: { text: "x".repeat(9000) } }));
    expect(outcome).to.have.nested.property("error.message").with.length(500);
    expect(outcome)
      .to.have.nested.property("error.detailsJson")
      .that.matches(/^\{"omitted":"too large","stack"/);
  });

  it("keeps a stack within its bound, whatever the message is made of", () => {
    for (const character of ["x", "한", "😀", '"', "\u0001"]) {
      const outcome = thrownOutcome(new Error(character.repeat(20_000)));
      const detailsJson = outcome.kind === "failed" ? outcome.error.detailsJson : "";
      expect(Buffer.byteLength(detailsJson)).to.be.within(1000, 8192);
      expect(JSON.parse(detailsJson)).to.have.property("stack").that.matches(/…$/);
    }
  });

  it("keeps details that only just leave room for a short stack", () => {
    const outcome = thrownOutcome(new PermanentError("X", "x".repeat(9000), { details: { text: "y".repeat(6000) } }));
    const detailsJson = outcome.kind === "failed" ? outcome.error.detailsJson : "";
    expect(JSON.parse(detailsJson)).to.have.keys("text", "stack");
  });

  it("cuts a message of 500 characters and more without splitting one", () => {
    const at = thrownOutcome(new Error("😀".repeat(250)));
    expect(at).to.have.nested.property("error.message", "😀".repeat(250));
    const above = thrownOutcome(new Error(`${"😀".repeat(250)}!`));
    expect(above).to.have.nested.property("error.message", `${"😀".repeat(249)}…`);
  });

  it("replaces what no text can carry", () => {
    const outcome = thrownOutcome(new PermanentError("X", "a\ud800", { details: { "k\udc00": "v\ud83d" } }));
    expect(outcome).to.have.nested.property("error.message", "a\ufffd");
    const detailsJson = outcome.kind === "failed" ? outcome.error.detailsJson : "";
    expect(JSON.parse(detailsJson)).to.include({ "k\ufffd": "v\ufffd" });
  });

  it("keeps a partial result with its warnings", () => {
    const outcome = thrownOutcome(
      new PartialFailure({ done: 1 }, ["skipped", { code: "NO_ACCESS", message: "page 3" }]),
    );
    expect(outcome).to.deep.equal({
      kind: "partial",
      result: { done: 1 },
      warnings: [
        { code: "WARNING", message: "skipped", retryable: false, detailsJson: "" },
        { code: "NO_ACCESS", message: "page 3", retryable: false, detailsJson: "" },
      ],
    });
  });
});
