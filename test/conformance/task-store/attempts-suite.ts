import { expect } from "chai";
import { AttemptOutcome } from "#libs/tasks/task-facts.js";
import type { TaskStore } from "#task-service/store/task-store.js";
import {
  failed,
  reportBatch,
  sampleTask,
  started,
  succeeded,
  WORKER,
} from "#test/conformance/task-store/sample-task.js";
import type { StoreFactory, StorePlace } from "#test/conformance/task-store/store-factory.js";

const { RUNNING, SUCCEEDED, FAILED, CANCELLED, RELEASED, LOST } = AttemptOutcome;

/** What a store promises about the history of attempts. */
export function attemptsSuite(factory: StoreFactory): void {
  describe(`${factory.name}: attempts`, () => {
    let place: StorePlace;
    let store: TaskStore;

    before(async () => {
      place = factory.createPlace();
      store = place.open();
      await store.start();
    });

    after(async () => {
      await store.stop();
      place.remove();
    });

    type Kinds = Parameters<typeof reportBatch>[1];
    const create = async (maxAttempts: number) => {
      const task = sampleTask({ maxAttempts });
      await store.write({ kind: "create", tasks: [task] });
      return task.id;
    };
    const report = (id: string, attempt: number, kinds: Kinds) =>
      store.write({ kind: "applyReports", batches: [reportBatch(id, kinds, { attempt })] });
    const list = (id: string, afterNumber = 0, limit = 100) =>
      store.read({ kind: "listAttempts", id, afterNumber, limit });
    const outcomes = async (id: string) =>
      (await list(id))?.map(({ number, outcome, error }) => [number, outcome, error?.code ?? null]);
    const released: Kinds[number] = {
      $case: "released",
      value: { reason: "shutdown", retryAfterMs: 0, code: "WORKER_SHUTDOWN" },
    };
    const lose = (id: string, attempt: number) =>
      store.write({ kind: "expireLeases", poisonLosses: 9, leases: [{ id, attempt, workerId: WORKER }] });

    it("has none of a task that has not started, and null for one that is not there", async () => {
      expect(await list(await create(1))).to.deep.equal([]);
      expect(await list(sampleTask().id)).to.equal(null);
    });

    it("tells of each attempt how it ended, and of the running one that it runs", async () => {
      const id = await create(9);
      await report(id, 1, [started, failed(0)]);
      await report(id, 2, [started, released]);
      await report(id, 3, [started]);
      await lose(id, 3);
      const ended = [
        [1, FAILED, "HANDLER_ERROR"],
        [2, RELEASED, "WORKER_SHUTDOWN"],
        [3, LOST, "WORKER_LOST"],
      ];
      expect(await outcomes(id)).to.deep.equal(ended);
      await report(id, 4, [started]);
      expect(await outcomes(id)).to.deep.equal([...ended, [4, RUNNING, null]]);
      expect((await list(id))?.at(-1)).to.include({ workerId: WORKER, endTimeMs: null });
      await store.write({
        kind: "applyReports",
        batches: [reportBatch(id, [succeeded()], { attempt: 4, firstNumber: 2 })],
      });
      expect(await outcomes(id)).to.deep.equal([...ended, [4, SUCCEEDED, null]]);
      for (const { startTimeMs, endTimeMs } of (await list(id)) ?? []) expect(endTimeMs).to.be.at.least(startTimeMs);
    });

    it("keeps what the attempt said where its task ended for another reason", async () => {
      const id = await create(9);
      await report(id, 1, [started, failed(3_600_000)]);
      await store.write({ kind: "requestCancel", id, reason: "", withWorker: null });
      expect(await outcomes(id)).to.deep.equal([[1, FAILED, "HANDLER_ERROR"]]);
      const running = await create(9);
      await report(running, 1, [started]);
      const lease = { id: running, attempt: 1, workerId: WORKER };
      await store.write({ kind: "expireLeases", poisonLosses: 1, leases: [lease] });
      expect((await store.read({ kind: "getTask", id: running, isFull: false }))?.error?.code).to.equal("POISONED");
      expect(await outcomes(running)).to.deep.equal([[1, LOST, "WORKER_LOST"]]);
    });

    it("keeps the attempts of earlier rounds when a task is opened again", async () => {
      const id = await create(1);
      await report(id, 1, [started, failed(0)]);
      await store.write({ kind: "reopen", id, sequence: null });
      expect(await outcomes(id)).to.deep.equal([[1, FAILED, "HANDLER_ERROR"]]);
      await report(id, 2, [started]);
      await store.write({ kind: "requestCancel", id, reason: "", withWorker: "any" });
      await store.write({
        kind: "applyReports",
        batches: [reportBatch(id, [{ $case: "cancelled", value: { phase: 3 } }], { attempt: 2, firstNumber: 2 })],
      });
      await store.write({ kind: "reopen", id, sequence: null });
      await report(id, 3, [started, succeeded()]);
      expect(await outcomes(id)).to.deep.equal([
        [1, FAILED, "HANDLER_ERROR"],
        [2, CANCELLED, "CANCELLED"],
        [3, SUCCEEDED, null],
      ]);
    });

    it("gives them page by page, the running one last, without gap or repeat", async () => {
      const id = await create(100);
      for (let attempt = 1; attempt <= 6; attempt += 1) await report(id, attempt, [started, failed(0)]);
      await report(id, 7, [started]);
      for (const limit of [1, 2, 3, 6, 7, 8]) {
        const seen: number[] = [];
        for (;;) {
          const page = (await list(id, seen.at(-1) ?? 0, limit)) ?? [];
          expect(page.length).to.be.at.most(limit);
          seen.push(...page.map(({ number }) => number));
          if (page.length < limit) break;
        }
        expect(seen, `${limit} a page`).to.deep.equal([1, 2, 3, 4, 5, 6, 7]);
      }
      expect(await list(id, 7)).to.deep.equal([]);
    });

    it("deletes them with their task", async () => {
      const id = await create(1);
      await report(id, 1, [started, failed(0)]);
      await store.write({ kind: "deleteFinished", beforeMs: Date.now() + 60_000, limit: 100 });
      expect(await list(id)).to.equal(null);
    });
  });
}
