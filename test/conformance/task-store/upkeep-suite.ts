import { expect } from "chai";
import { TaskState } from "#libs/tasks/task-state.js";
import type { Commit } from "#task-service/store/commit.js";
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
import { until } from "#test/support/until.js";

/** What a store promises about waiting tasks, leases and retention. */
export function upkeepSuite(factory: StoreFactory): void {
  describe(`${factory.name}: upkeep`, () => {
    let place: StorePlace;
    let store: TaskStore;
    const commits: Commit[] = [];

    beforeEach(async () => {
      place = factory.createPlace();
      store = place.open();
      commits.length = 0;
      store.onCommit((commit) => commits.push(commit));
      await store.start();
    });

    afterEach(async () => {
      await store.stop();
      place.remove();
    });

    const stateOf = async (id: string) => (await store.read({ kind: "getTask", id, isFull: false }))?.state;
    const report = (...batches: Uint8Array[]) => store.write({ kind: "applyReports", batches });
    const dueIds = async () => {
      const lane = { queue: "default", type: "test.sample" };
      return (await store.read({ kind: "readDue", lane, after: null, limit: 100 })).map(({ id }) => id);
    };

    it("keeps a task back until its run time and makes it due then, once", async () => {
      const later = sampleTask({ runTimeMs: Date.now() + 3_600_000 });
      const soon = sampleTask({ runTimeMs: Date.now() + 150 });
      await store.write({ kind: "create", tasks: [later, soon] });
      expect(await dueIds()).to.deep.equal([]);
      expect(commits[0]?.changes.map(({ isWaiting }) => isWaiting)).to.deep.equal([true, true]);
      const early = await store.write({ kind: "makeDue", limit: 10 });
      expect(early).to.deep.equal({ count: 0, nextRunTimeMs: soon.runTimeMs });
      await until("the run time has come", () => Date.now() > soon.runTimeMs);
      commits.length = 0;
      expect(await store.write({ kind: "makeDue", limit: 10 })).to.deep.equal({
        count: 1,
        nextRunTimeMs: later.runTimeMs,
      });
      const changes = commits.flatMap((commit) => commit.changes);
      expect(changes.map(({ id, isWaiting }) => [id, isWaiting])).to.deep.equal([[soon.id, false]]);
      expect(await dueIds()).to.deep.equal([soon.id]);
      expect((await store.write({ kind: "makeDue", limit: 10 })).count).to.equal(0);
    });

    it("makes at most as many tasks due as it was asked to", async () => {
      const runTimeMs = Date.now() + 100;
      const tasks = Array.from({ length: 5 }, () => sampleTask({ runTimeMs }));
      await store.write({ kind: "create", tasks });
      await until("the run time has come", () => Date.now() > runTimeMs);
      expect(await store.write({ kind: "makeDue", limit: 3 })).to.deep.equal({ count: 3, nextRunTimeMs: runTimeMs });
      expect(await store.write({ kind: "makeDue", limit: 3 })).to.deep.equal({ count: 2, nextRunTimeMs: null });
    });

    it("lets a retry wait, and cancels it while it waits", async () => {
      const task = sampleTask();
      await store.write({ kind: "create", tasks: [task] });
      await report(reportBatch(task.id, [started, failed(3_600_000)]));
      expect(await dueIds()).to.deep.equal([]);
      expect((await store.write({ kind: "makeDue", limit: 10 })).nextRunTimeMs).to.be.greaterThan(Date.now());
      await store.write({ kind: "requestCancel", id: task.id, reason: "", withWorker: null });
      expect(await stateOf(task.id)).to.equal(TaskState.CANCELLED);
      expect(await store.write({ kind: "makeDue", limit: 10 })).to.deep.equal({ count: 0, nextRunTimeMs: null });
    });

    it("ends the attempts of lost leases, and only those", async () => {
      const tasks = [sampleTask(), sampleTask(), sampleTask({ maxAttempts: 1 }), sampleTask()];
      const [lost, moved, last, done] = tasks.map(({ id }) => id);
      if (lost === undefined || moved === undefined || last === undefined || done === undefined)
        throw new Error("no ids");
      await store.write({ kind: "create", tasks });
      await report(
        ...[lost, moved, last].map((id) => reportBatch(id, [started])),
        reportBatch(done, [started, succeeded()]),
      );
      const running = await store.read({ kind: "readRunning" });
      expect(running.map(({ id }) => id).sort()).to.deep.equal([lost, moved, last].sort());
      const lease = (id: string, attempt = 1) => ({ id, attempt, workerId: WORKER });
      const leases = [lease(lost), lease(moved, 2), lease(last), lease(done), lease(sampleTask().id)];
      expect(await store.write({ kind: "expireLeases", poisonLosses: 3, leases })).to.deep.equal({ expired: 2 });
      expect(await stateOf(lost)).to.equal(TaskState.PENDING);
      expect(await stateOf(moved)).to.equal(TaskState.RUNNING);
      expect(await stateOf(last)).to.equal(TaskState.FAILED);
      expect(await stateOf(done)).to.equal(TaskState.COMPLETED);
      expect(await dueIds()).to.deep.equal([lost]);
    });

    it("deletes finished tasks that have not changed since, with their events, and nothing else", async () => {
      const tasks = Array.from({ length: 6 }, () => sampleTask());
      await store.write({ kind: "create", tasks });
      const finished = tasks.slice(0, 4).map(({ id }) => id);
      await report(...finished.map((id) => reportBatch(id, [started, succeeded()])));
      expect(await store.write({ kind: "deleteFinished", beforeMs: 1000, limit: 10 })).to.deep.equal({ count: 0 });
      const beforeMs = Date.now() + 1000;
      expect(await store.write({ kind: "deleteFinished", beforeMs, limit: 3 })).to.deep.equal({ count: 3 });
      expect(await store.write({ kind: "deleteFinished", beforeMs, limit: 3 })).to.deep.equal({ count: 1 });
      for (const [index, { id }] of tasks.entries()) {
        expect(await stateOf(id)).to.equal(index < 4 ? undefined : TaskState.PENDING);
        const history = await store.read({ kind: "readEvents", id, afterSequence: 0, limit: 10 });
        expect(history?.events.length ?? null).to.equal(index < 4 ? null : 1);
      }
      const late = await report(reportBatch(tasks[0]?.id ?? "", [started], { firstNumber: 9 }));
      expect(late.stale.length).to.equal(1);
    });

    it("lets a request id be used again once its task is gone", async () => {
      const request = { requestId: "again", requestHash: "one" };
      const first = sampleTask(request);
      await store.write({ kind: "create", tasks: [first] });
      await store.write({ kind: "requestCancel", id: first.id, reason: "", withWorker: null });
      await store.write({ kind: "deleteFinished", beforeMs: Date.now() + 1000, limit: 10 });
      const created = await store.write({ kind: "create", tasks: [sampleTask({ ...request, requestHash: "two" })] });
      expect(created.kind).to.equal("created");
    });

    it("ends cancels that nobody answered in time, and hands out no task whose cancel was asked for", async () => {
      const [asked, free] = [sampleTask(), sampleTask()];
      await store.write({ kind: "create", tasks: [asked, free] });
      await store.write({ kind: "requestCancel", id: asked.id, reason: "enough", withWorker: "any" });
      expect(await stateOf(asked.id)).to.equal(TaskState.PENDING);
      expect(await dueIds()).to.deep.equal([free.id]);
      const past = Date.now() - 60_000;
      const future = Date.now() + 60_000;
      const end = (beforeMs: number, spared: readonly string[] = []) =>
        store.write({ kind: "endOldCancels", beforeMs, limit: 1, spared, areUntaken: false });
      expect(await end(past)).to.deep.equal({ count: 0 });
      expect(await end(future, [asked.id])).to.deep.equal({ count: 0 });
      expect(await end(future)).to.deep.equal({ count: 1 });
      expect(await stateOf(asked.id)).to.equal(TaskState.CANCELLED);
      expect(await stateOf(free.id)).to.equal(TaskState.PENDING);
    });

    it("ends unanswered cancels of the attempt it is told, and never one of a later round", async () => {
      const [asked, taken, other] = [sampleTask(), sampleTask(), sampleTask()];
      await store.write({ kind: "create", tasks: [asked, taken, other] });
      for (const { id } of [asked, taken])
        await store.write({ kind: "requestCancel", id, reason: "", withWorker: "any" });
      const end = async (id: string, attempt: number, isUntaken: boolean) =>
        (await store.write({ kind: "endCancels", tasks: [{ id, attempt, isUntaken }] })).count;
      const attemptOf = async (id: string) => (await store.read({ kind: "getTask", id, isFull: false }))?.attempt;
      expect(await end(asked.id, 1, true), "another attempt").to.equal(0);
      expect(await end(other.id, 0, true), "nobody asked").to.equal(0);
      expect(await end(sampleTask().id, 0, true), "no such task").to.equal(0);
      expect(await end(asked.id, 0, true)).to.equal(1);
      expect(await attemptOf(asked.id), "nobody had it").to.equal(0);
      expect(await end(taken.id, 0, false)).to.equal(1);
      expect(await attemptOf(taken.id), "somebody may have it").to.equal(1);
      expect(await store.read({ kind: "listAttempts", id: taken.id, afterNumber: 0, limit: 9 })).to.deep.equal([]);

      await store.write({ kind: "reopen", id: taken.id, sequence: null });
      await store.write({ kind: "requestCancel", id: taken.id, reason: "", withWorker: "any" });
      expect(await end(taken.id, 0, false), "of the round before").to.equal(0);
      const late = await report(reportBatch(taken.id, [started]));
      expect(late.stale, "the number of the round before fits nothing").to.have.lengthOf(1);
      expect(await stateOf(taken.id)).to.equal(TaskState.PENDING);
    });

    it("probes whether it can write without making an event", async () => {
      commits.length = 0;
      expect(await store.write({ kind: "probe" })).to.deep.equal({});
      expect(commits.flatMap(({ events }) => events)).to.deep.equal([]);
    });
  });
}
