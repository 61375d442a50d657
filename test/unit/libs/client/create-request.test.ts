import { expect } from "chai";
import { encodeCreateRequest, type CreateOptions } from "#libs/client/create-request.js";
import { Task_State as TaskState } from "#libs/proto/gen/taskwire/v1/task.js";
import { CreateTaskRequest } from "#libs/proto/gen/taskwire/v1/task_service.js";

const requestOf = (options: CreateOptions) =>
  CreateTaskRequest.decode(encodeCreateRequest("a.b", { n: 1 }, options, false));

describe("encodeCreateRequest", () => {
  it("says everything that was said about retries", () => {
    const { task } = requestOf({
      maxAttempts: 9,
      initialDelayMs: 1500,
      maximumDelayMs: 60_000,
      multiplier: 1.5,
      totalTimeoutMs: 90_010,
      retryableCodes: ["RATE_LIMITED", "HARD_TIMEOUT"],
      permanentCodes: ["NO_SUCH_USER"],
    });
    expect(task?.maxAttempts).to.equal(9);
    expect(task?.retryPolicy).to.deep.equal({
      initialDelay: { seconds: 1, nanos: 500_000_000 },
      maximumDelay: { seconds: 60, nanos: 0 },
      multiplier: 1.5,
      totalTimeout: { seconds: 90, nanos: 10_000_000 },
      retryableCodes: ["RATE_LIMITED", "HARD_TIMEOUT"],
      permanentCodes: ["NO_SUCH_USER"],
    });
  });

  it("says who is told of the end, and of which", () => {
    const url = "https://receiver.test/";
    const states = [TaskState.FAILED];
    expect(requestOf({ webhook: url }).task?.webhook).to.deep.equal({ url, states: [] });
    expect(requestOf({ webhook: { url } }).task?.webhook).to.deep.equal({ url, states: [] });
    expect(requestOf({ webhook: { url, states } }).task?.webhook).to.deep.equal({ url, states });
    expect(requestOf({}).task?.webhook).to.equal(undefined);
  });

  it("leaves the retry policy out when nothing was said about it", () => {
    expect(requestOf({ maxAttempts: 2 }).task?.retryPolicy).to.equal(undefined);
  });

  for (const options of [
    { totalTimeoutMs: 10 },
    { retryableCodes: ["A"] },
    { permanentCodes: ["A"] },
  ] satisfies CreateOptions[]) {
    it(`sends ${Object.keys(options).join()} alone, and leaves the rest to the handler and the service`, () => {
      expect(requestOf(options).task?.retryPolicy).to.deep.equal({
        initialDelay: undefined,
        maximumDelay: undefined,
        multiplier: 0,
        totalTimeout: "totalTimeoutMs" in options ? { seconds: 0, nanos: 10_000_000 } : undefined,
        retryableCodes: "retryableCodes" in options ? ["A"] : [],
        permanentCodes: "permanentCodes" in options ? ["A"] : [],
      });
    });
  }

  it("sends a request id only when there is one or the create may be repeated", () => {
    expect(requestOf({}).requestId).to.equal("");
    expect(requestOf({ requestId: "mine" }).requestId).to.equal("mine");
    const repeatable = CreateTaskRequest.decode(encodeCreateRequest("a.b", {}, {}, true));
    expect(repeatable.requestId).to.match(/^[0-9a-f-]{36}$/);
  });
});
