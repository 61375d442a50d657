import { expect } from "chai";
import type { ProcessIsolate } from "#worker/isolate/process-isolate.js";
import { outcomeOf, processIsolate } from "#test/fixtures/tasks/fixture-isolates.js";

describe("what a handler returns or throws", () => {
  let isolate: ProcessIsolate;

  before(async () => {
    isolate = await processIsolate();
  });

  after(() => isolate.close());

  const failure = (code: string, message: string, retryable: boolean) => ({
    kind: "failed",
    "error.code": code,
    "error.message": message,
    "error.retryable": retryable,
  });
  const cases: readonly { readonly outcome: string; readonly expected: Record<string, unknown> }[] = [
    { outcome: "permanent", expected: failure("NO_SUCH_USER", "the user is gone", false) },
    { outcome: "retryable", expected: { ...failure("RATE_LIMITED", "slow down", true), retryAfterMs: 1500 } },
    { outcome: "later", expected: { kind: "retry-later", delayMs: 2500 } },
    { outcome: "forged", expected: failure("HANDLER_ERROR", "not really", false) },
    { outcome: "large", expected: { kind: "refused", code: "RESULT_REJECTED" } },
    { outcome: "deep", expected: { kind: "refused", code: "RESULT_REJECTED" } },
    { outcome: "function", expected: { kind: "refused", code: "RESULT_REJECTED", message: "the result is not JSON" } },
    { outcome: "circular", expected: { kind: "refused", code: "RESULT_REJECTED" } },
    { outcome: "surrogate", expected: { kind: "succeeded", resultJson: '{"text":"a\ufffdb"}' } },
    { outcome: "nothing", expected: { kind: "succeeded", resultJson: "null" } },
    { outcome: "partial", expected: { kind: "succeeded", resultJson: '{"done":2}', "warnings[1].code": "SKIPPED" } },
  ];
  for (const { outcome, expected } of cases) {
    it(`is named for what it is: ${outcome}`, async () => {
      expect(await outcomeOf(isolate, "outcomes", { outcome })).to.deep.nested.include(expected);
    });
  }

  it("is given a payload that the schema has checked and completed", async () => {
    expect(await outcomeOf(isolate, "typed", { count: 21 })).to.deep.include({ resultJson: '{"doubled":42}' });
  });

  it("is never run with a payload that the schema refuses", async () => {
    const outcome = await outcomeOf(isolate, "typed", { count: "many" });
    expect(outcome).to.deep.include({ kind: "refused", code: "PAYLOAD_REJECTED" });
    expect(outcome)
      .to.have.property("detailsJson")
      .that.matches(/^\{"issues":\[\{"path":"count"/);
  });

  it("is never run with a payload that is no JSON, and nothing of that is quoted", async () => {
    expect(await outcomeOf(isolate, "typed", '{"password":hunter2}')).to.deep.include({
      kind: "refused",
      code: "PAYLOAD_REJECTED",
      message: "the payload cannot be checked: it is no JSON",
    });
  });
});
