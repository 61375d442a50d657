import { expect } from "chai";
import type { EventFact } from "#libs/tasks/event-fact.js";
import { CommitTally, Counted } from "#task-service/store/commit-counts.js";
import { StoreStatistics } from "#task-service/store/store-statistics.js";
import type { TaskRecord } from "#task-service/store/task-record.js";
import { live } from "#test/unit/task-service/verify/lived-task.js";

const error = (code: string) => ({ code, message: "", retryable: true, detailsJson: "" });
const created: EventFact = { kind: "created", type: "t", queue: "q", runTimeMs: 0 };
const started: EventFact = { kind: "started", workerId: "w", maxAttempts: 3 };

describe("What a store counts", () => {
  const task = (queue = "q", overrides: Partial<TaskRecord> = {}): TaskRecord => ({
    ...live([]).task,
    queue,
    ...overrides,
  });
  const count = (statistics: StoreStatistics, of: TaskRecord, fact: EventFact, wasRunning = false) => {
    const tally = new CommitTally();
    tally.count(of, fact, wasRunning);
    statistics.add(tally.counts());
  };

  it("tells how many tasks a queue holds, also those from before the start", () => {
    const statistics = new StoreStatistics();
    statistics.begin([{ queue: "q", open: 5, running: 2 }]);
    count(statistics, task(), created);
    count(statistics, task(), started);
    expect(statistics.held("q")).to.deep.equal({ open: 6, running: 3 });
    count(statistics, task(), { kind: "completed", resultJson: "1", warnings: [] }, true);
    count(statistics, task(), { kind: "cancelled", phase: 1, reason: "" });
    expect(statistics.held("q")).to.deep.equal({ open: 4, running: 2 });
    expect(statistics.held("unheard")).to.deep.equal({ open: 0, running: 0 });
  });

  it("keeps the codes of attempts and tasks apart, and a handler's own together", () => {
    const statistics = new StoreStatistics();
    count(statistics, task(), { kind: "retryScheduled", error: error("RATE_LIMITED"), runTimeMs: 0 }, true);
    count(statistics, task(), { kind: "retryScheduled", error: error("HANDLER_ERROR"), runTimeMs: 0 }, true);
    const lost = { outcome: 6, error: error("WORKER_LOST") } as const;
    count(statistics, task("q", { endedAttempt: lost }), { kind: "failed", error: error("POISONED") }, true);
    count(statistics, task(), { kind: "failed", error: error("TOTAL_TIMEOUT") });
    expect(Object.fromEntries(statistics.totals(Counted.ATTEMPTS))).to.deep.equal({ HANDLER: 2, WORKER_LOST: 1 });
    expect(Object.fromEntries(statistics.totals(Counted.FAILURES))).to.deep.equal({ POISONED: 1, TOTAL_TIMEOUT: 1 });
  });

  it("tells 100 queues apart and counts the others together", () => {
    const statistics = new StoreStatistics();
    for (let index = 0; index < 150; index += 1) count(statistics, task(`queue-${index}`), created);
    expect([...statistics.queues]).to.have.lengthOf(101);
    expect(statistics.total(Counted.CREATED, "queue-99")).to.equal(1);
    expect(statistics.total(Counted.CREATED, "queue-100")).to.equal(0);
    expect(statistics.total(Counted.CREATED, "other")).to.equal(50);
    expect(statistics.held("other")).to.deep.equal({ open: 50, running: 0 });
  });
});
