import { expect } from "chai";
import { TaskState } from "#libs/tasks/task-state.js";
import { reasonText, summaryOf } from "#task-service/rpc/explanation-text.js";
import type { ReasonKind } from "#task-service/rpc/task-reasons.js";

const NOW_MS = Date.parse("2026-03-01T12:00:00.000Z");
const at = (offsetMs: number) => new Date(NOW_MS + offsetMs);
const SECOND = 1000;
const HOUR = 3_600_000;
const line = { queue: "default", positionIsMinimum: false, totalIsMinimum: false };
const dispatched = { attempt: 2, dispatchTime: at(-4 * SECOND), repeats: 0, confirmed: false, handedOut: false };

const CASES: readonly (readonly [ReasonKind, string])[] = [
  [{ $case: "finished", value: { endTime: at(-HOUR), errorCode: "" } }, "it ended at 2026-03-01T11:00:00.000Z"],
  [
    { $case: "finished", value: { endTime: at(-HOUR), errorCode: "POISONED" } },
    "it ended at 2026-03-01T11:00:00.000Z with POISONED",
  ],
  [
    {
      $case: "running",
      value: {
        workerId: "w",
        attempt: 3,
        startTime: at(-61.9 * SECOND),
        workerAlive: true,
        lastHeardTime: at(-2 * SECOND),
      },
    },
    "worker w has had attempt 3 for 61 s and was heard 2 s ago",
  ],
  [
    {
      $case: "running",
      value: { workerId: "w", attempt: 1, startTime: at(-5 * HOUR), workerAlive: false, lastHeardTime: undefined },
    },
    "worker w has had attempt 1 for 5 h and is not heard of any more",
  ],
  [
    { $case: "cancelRequest", value: { requestTime: at(0), reason: "" } },
    "a cancel was asked for 0 s ago and is not answered yet",
  ],
  [
    { $case: "cancelRequest", value: { requestTime: at(-200 * SECOND), reason: "wrong one" } },
    "a cancel was asked for 3 min ago (wrong one) and is not answered yet",
  ],
  [
    { $case: "lockedPayload", value: { keyId: "abcd1234" } },
    "its payload is encrypted with the key abcd1234, which the task-service does not have",
  ],
  [{ $case: "lockedPayload", value: { keyId: "" } }, "its payload is encrypted and broken, so it is not dispatched"],
  [{ $case: "delayed", value: { runTime: at(100 * HOUR) } }, "it is due at 2026-03-05T16:00:00.000Z, in 4 d"],
  [{ $case: "delayed", value: { runTime: at(-1) } }, "it is due at 2026-03-01T11:59:59.999Z"],
  [
    {
      $case: "waitingRetry",
      value: { attempt: 5, countedAttempt: 2, maxAttempts: 3, runTime: at(7 * SECOND), errorCode: "BUSY" },
    },
    "attempt 2 of 3 is due at 2026-03-01T12:00:07.000Z, in 7 s, after BUSY",
  ],
  [
    {
      $case: "waitingRetry",
      value: { attempt: 2, countedAttempt: 2, maxAttempts: 0, runTime: at(SECOND), errorCode: "" },
    },
    "attempt 2 is due at 2026-03-01T12:00:01.000Z, in 1 s",
  ],
  [{ $case: "natsAway", value: {} }, "the task-service has no connection to NATS"],
  [{ $case: "serviceStarting", value: {} }, "the task-service has started and does not dispatch yet"],
  [
    { $case: "dispatched", value: dispatched },
    "attempt 2 was handed to NATS 4 s ago, and no worker has started it: NATS has not confirmed it",
  ],
  [
    { $case: "dispatched", value: { ...dispatched, repeats: 1, confirmed: true } },
    "attempt 2 was handed to NATS 4 s ago, for the 2nd time, and no worker has started it: it waits there",
  ],
  [
    { $case: "dispatched", value: { ...dispatched, repeats: 11, confirmed: true, handedOut: true } },
    "attempt 2 was handed to NATS 4 s ago, for the 12th time, and no worker has started it: it is with a worker or lost",
  ],
  [
    { $case: "quarantined", value: { lostWorkers: 2 } },
    "it lost 2 workers in a row and waits for its turn apart from other such tasks",
  ],
  [{ $case: "noWorkers", value: { queue: "mail", draining: 0 } }, "no living worker takes tasks from queue mail"],
  [
    { $case: "noWorkers", value: { queue: "mail", draining: 2 } },
    "no living worker takes tasks from queue mail (2 workers draining)",
  ],
  [
    { $case: "noWorkerForType", value: { queue: "mail", type: "a.b", workerTypes: [], workers: 1 } },
    "no living worker of queue mail runs the type a.b (there: 1 worker for no type)",
  ],
  [
    {
      $case: "noWorkerForType",
      value: { queue: "mail", type: "a.b", workerTypes: ["a", "b", "c", "d", "e", "f", "g"], workers: 3 },
    },
    "no living worker of queue mail runs the type a.b (there: 3 workers for a, b, c, d, e and 2 more)",
  ],
  [
    { $case: "slotsBusy", value: { queue: "mail", slots: 1, running: 1, dispatched: 2, workersRunning: 1 } },
    "the only slot of the workers of queue mail is taken (1 running, 2 dispatched)",
  ],
  [
    { $case: "slotsBusy", value: { queue: "mail", slots: 1024, running: 1000, dispatched: 24, workersRunning: 0 } },
    "all 1,024 slots of the workers of queue mail are taken (1000 running, 24 dispatched)",
  ],
  [{ $case: "inLine", value: { ...line, position: 21, total: 113 } }, "it is 21st of 113 due in queue default"],
  [
    { $case: "inLine", value: { ...line, position: 113, total: 10_000, totalIsMinimum: true } },
    "it is 113th of more than 10,000 due in queue default",
  ],
  [
    {
      $case: "inLine",
      value: { queue: "q", position: 10_000, total: 10_000, positionIsMinimum: true, totalIsMinimum: true },
    },
    "at least 10,000 due tasks of queue q come before it",
  ],
  [{ $case: "totalTimeout", value: { deadlineTime: at(HOUR) } }, "no attempt starts after 2026-03-01T13:00:00.000Z"],
];

describe("reasonText", () => {
  for (const [reason, text] of CASES) {
    it(text, () => {
      expect(reasonText(reason, NOW_MS)).to.equal(text);
    });
  }
});

describe("summaryOf", () => {
  it("is one sentence that begins with the state", () => {
    expect(summaryOf(TaskState.RUNNING, ["a"])).to.equal("The task is RUNNING: a.");
  });

  it("is made of the first three reasons", () => {
    expect(summaryOf(TaskState.PENDING, ["a", "b", "c", "d"])).to.equal("The task is PENDING: a; b; c.");
  });
});
