import { expect } from "chai";
import type { TaskwireError } from "#libs/errors/taskwire-error.js";
import { CreateTaskRequest } from "#libs/proto/gen/taskwire/v1/task_service.js";
import { payloadJsonOf } from "#task-service/rpc/new-task.js";
import { durationMs, validateCreate } from "#task-service/rpc/validate-task.js";
import { Violations } from "#task-service/rpc/violations.js";

type Asked = Parameters<typeof CreateTaskRequest.fromPartial>[0];

/** The fields a request violates. */
function violatedBy(asked: Asked, prefix = ""): string[] {
  const request = CreateTaskRequest.fromPartial(asked);
  const violations = new Violations();
  validateCreate(request, payloadJsonOf(request), prefix, violations);
  try {
    violations.throwIfAny();
  } catch (error) {
    return (error as TaskwireError).violations.map(({ field }) => field);
  }
  return [];
}

function violatedByTask(task: Asked["task"]): string[] {
  return violatedBy({ task: { type: "a", ...task } });
}

const ms = (milliseconds: number) => ({
  seconds: Math.floor(milliseconds / 1000),
  nanos: (milliseconds % 1000) * 1_000_000,
});
const codes = (count: number) => Array.from({ length: count }, (_, index) => `CODE_${index}`);
const DAY_MS = 86_400_000;
const MIB = 1024 * 1024;

describe("validateCreate", () => {
  it("accepts the least and the most that is allowed", () => {
    const labels = Object.fromEntries(Array.from({ length: 32 }, (_, index) => [`k${index}`, "ü".repeat(128)]));
    const least = { softTimeout: ms(10), hardTimeout: ms(11), memoryBytes: 32 * MIB };
    const most = { softTimeout: ms(DAY_MS - 1), hardTimeout: ms(DAY_MS), memoryBytes: 65_536 * MIB };
    const accepted: NonNullable<Asked["task"]>[] = [
      {},
      { queue: "mail", priority: -100, maxAttempts: 1, limits: least },
      { queue: "q", priority: 100, maxAttempts: 100, limits: most, labels, description: "한".repeat(1000) },
      { description: "😀".repeat(1000), runTime: new Date(0), limits: {}, retryPolicy: {} },
      { runTime: new Date(Date.now() + 365 * DAY_MS) },
      { retryPolicy: { initialDelay: ms(0), maximumDelay: ms(DAY_MS), multiplier: 1 } },
      { retryPolicy: { initialDelay: ms(DAY_MS), maximumDelay: ms(0), multiplier: 10 } },
      { retryPolicy: { totalTimeout: ms(10), retryableCodes: ["A"], permanentCodes: ["B".repeat(63)] } },
      { webhook: { url: "http://a" } },
      { webhook: { url: `HTTPS://receiver.test:8443/${"x".repeat(2048 - 27)}`, states: [3, 4, 5] } },
      { retryPolicy: { totalTimeout: ms(366 * DAY_MS), retryableCodes: codes(50), permanentCodes: [] } },
    ];
    for (const task of accepted) expect(violatedByTask(task), JSON.stringify(task)).to.deep.equal([]);
    for (const requestId of ["x", "~".repeat(64)])
      expect(violatedBy({ requestId, task: { type: "a" } })).to.deep.equal([]);
  });

  const refused: readonly (readonly [field: string, ...tasks: NonNullable<Asked["task"]>[]])[] = [
    ["task.type", { type: "" }, { type: "A" }, { type: "a b" }, { type: "a..b" }, { type: "a".repeat(101) }],
    ["task.webhook", { type: "webhook.deliver", webhook: { url: "https://receiver.test/" } }],
    [
      "task.webhook.url",
      { webhook: {} },
      { webhook: { url: "receiver.test" } },
      { webhook: { url: "ftp://receiver.test/" } },
      { webhook: { url: "http:receiver.test" } },
      { webhook: { url: "http://" } },
      { webhook: { url: "http://me@receiver.test/" } },
      { webhook: { url: "http://:secret@receiver.test/" } },
      { webhook: { url: `https://receiver.test/${"x".repeat(2048)}` } },
    ],
    [
      "task.webhook.states",
      { webhook: { url: "https://receiver.test/", states: [0] } },
      { webhook: { url: "https://receiver.test/", states: [2] } },
      { webhook: { url: "https://receiver.test/", states: [6 as never] } },
      { webhook: { url: "https://receiver.test/", states: [3, 3] } },
    ],
    ["task.queue", { queue: "A" }, { queue: "a.b" }, { queue: "a".repeat(64) }, { queue: "*" }],
    ["task.priority", { priority: 101 }, { priority: -101 }],
    [
      "task.payload",
      { payload: { a: "x".repeat(256 * 1024) } },
      { payload: { a: Number.NaN } },
      { payload: { a: [Infinity] } },
    ],
    ["task.description", { description: "x".repeat(1001) }, { description: "x".repeat(4 * MIB) }],
    ["task.max_attempts", { maxAttempts: -1 }, { maxAttempts: 101 }],
    ["task.run_time", { runTime: new Date(Date.now() + 367 * DAY_MS) }, { runTime: new Date(Number.NaN) }],
    ["task.limits.soft_timeout", { limits: { softTimeout: ms(9) } }, { limits: { softTimeout: ms(DAY_MS + 1) } }],
    ["task.limits.soft_timeout", { limits: { softTimeout: ms(50), hardTimeout: ms(50) } }],
    [
      "task.limits.hard_timeout",
      { limits: { hardTimeout: ms(0) } },
      { limits: { hardTimeout: { seconds: -1, nanos: 0 } } },
    ],
    ["task.limits.memory_bytes", { limits: { memoryBytes: 1 } }, { limits: { memoryBytes: -1 } }],
    ["task.limits.memory_bytes", { limits: { memoryBytes: 65_536 * MIB + 1 } }],
    ["task.retry_policy.initial_delay", { retryPolicy: { initialDelay: { seconds: -1, nanos: 0 } } }],
    ["task.retry_policy.maximum_delay", { retryPolicy: { maximumDelay: ms(DAY_MS + 1) } }],
    ["task.retry_policy.multiplier", { retryPolicy: { multiplier: 0.5 } }, { retryPolicy: { multiplier: 11 } }],
    ["task.retry_policy.multiplier", { retryPolicy: { multiplier: Number.NaN } }],
    [
      "task.retry_policy.total_timeout",
      { retryPolicy: { totalTimeout: ms(9) } },
      { retryPolicy: { totalTimeout: ms(366 * DAY_MS + 1) } },
      { retryPolicy: { totalTimeout: { seconds: -1, nanos: 0 } } },
    ],
    ["task.retry_policy.retryable_codes", { retryPolicy: { retryableCodes: codes(51) } }],
    [
      "task.retry_policy.retryable_codes[1]",
      ...["", "lower", "1A", "_A", "A B", "A".repeat(64)].map((code) => ({
        retryPolicy: { retryableCodes: ["A", code] },
      })),
    ],
    [
      "task.retry_policy.permanent_codes",
      { retryPolicy: { permanentCodes: codes(51) } },
      { retryPolicy: { retryableCodes: ["A", "B"], permanentCodes: ["C", "B"] } },
    ],
    ["task.retry_policy.permanent_codes[0]", { retryPolicy: { permanentCodes: ["ä"] } }],
    ['task.labels["a b"]', { labels: { "a b": "" } }],
    ['task.labels["a"]', { labels: { a: "ü".repeat(129) } }],
    ["task.labels", { labels: Object.fromEntries(Array.from({ length: 33 }, (_, index) => [`k${index}`, ""])) }],
  ];
  for (const [field, ...tasks] of refused) {
    it(`refuses ${field} beyond its rule`, () => {
      for (const task of tasks) expect(violatedByTask(task)).to.deep.equal([field]);
    });
  }

  it("refuses request ids that are too long or hold anything but visible ASCII", () => {
    for (const requestId of ["a b", "ü", "a\n", "x".repeat(65)]) {
      expect(violatedBy({ requestId, task: { type: "a" } })).to.deep.equal(["request_id"]);
    }
  });

  it("refuses a request without a task", () => {
    expect(violatedBy({})).to.deep.equal(["task"]);
  });

  it("names every violated field at once, as the request calls it", () => {
    const task = {
      type: "",
      queue: "Q",
      priority: 999,
      labels: { "": "" },
      limits: { memoryBytes: 5 },
      maxAttempts: 500,
    };
    expect(violatedBy({ requestId: " ", task }, "requests[3].")).to.have.members([
      "requests[3].request_id",
      "requests[3].task.type",
      "requests[3].task.queue",
      "requests[3].task.priority",
      'requests[3].task.labels[""]',
      "requests[3].task.max_attempts",
      "requests[3].task.limits.memory_bytes",
    ]);
  });
});

describe("durationMs", () => {
  it("rounds to milliseconds", () => {
    expect(durationMs({ seconds: 1, nanos: 500_000_000 })).to.equal(1500);
    expect(durationMs({ seconds: 0, nanos: 600_000 })).to.equal(1);
    expect(durationMs({ seconds: -1, nanos: -500_000_000 })).to.equal(-1500);
  });
});
