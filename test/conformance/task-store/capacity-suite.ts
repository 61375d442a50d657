import { expect } from "chai";
import { TaskState } from "#libs/tasks/task-state.js";
import type { NewTask } from "#task-service/store/task-record.js";
import type { TaskStore } from "#task-service/store/task-store.js";
import { reportBatch, sampleTask, started, succeeded } from "#test/conformance/task-store/sample-task.js";
import type { StoreFactory, StorePlace } from "#test/conformance/task-store/store-factory.js";
import { rejectionOf } from "#test/support/rejection-of.js";

const CAPACITY = 3;

/** What a store promises about how many unfinished tasks a queue holds. */
export function capacitySuite(factory: StoreFactory): void {
  describe(`${factory.name}: the capacity of a queue`, () => {
    let place: StorePlace;
    let store: TaskStore;

    beforeEach(async () => {
      place = factory.createPlace({ queueCapacity: CAPACITY });
      store = place.open();
      await store.start();
    });

    afterEach(async () => {
      await store.stop();
      place.remove();
    });

    const tasks = (count: number, overrides: Partial<NewTask> = {}) =>
      Array.from({ length: count }, () => sampleTask(overrides));
    const create = async (some: readonly NewTask[]) => (await store.write({ kind: "create", tasks: some })).kind;
    const exists = async ({ id }: NewTask) => (await store.read({ kind: "getTask", id, isFull: false })) !== null;
    const finish = (...some: readonly NewTask[]) =>
      store.write({ kind: "applyReports", batches: some.map(({ id }) => reportBatch(id, [started, succeeded()])) });
    const reopen = async ({ id }: NewTask) => (await store.write({ kind: "reopen", id, sequence: null })).verdict;
    const cancel = ({ id }: NewTask) => store.write({ kind: "requestCancel", id, reason: "", withWorker: null });

    it("takes as many as it may hold, one by one, and no more; other queues take theirs", async () => {
      for (let count = 0; count < CAPACITY; count += 1) expect(await create(tasks(1))).to.equal("created");
      const refused = tasks(1);
      const answer = await store.write({ kind: "create", tasks: refused });
      expect(answer).to.deep.equal({ kind: "queueFull", queue: "default" });
      expect(await exists(refused[0] ?? sampleTask())).to.equal(false);
      expect(await create(tasks(CAPACITY, { queue: "mail" }))).to.equal("created");
    });

    it("takes a batch at the capacity and refuses one beyond it whole", async () => {
      const beyond = tasks(CAPACITY + 1);
      expect(await create(beyond)).to.equal("queueFull");
      for (const task of beyond) expect(await exists(task)).to.equal(false);
      const mixed = [...tasks(1, { queue: "mail" }), ...tasks(CAPACITY + 1)];
      expect(await create(mixed)).to.equal("queueFull");
      expect(await exists(mixed[0] ?? sampleTask())).to.equal(false);
      expect(await create(tasks(CAPACITY))).to.equal("created");
    });

    it("counts writes that share a transaction one after the other", async () => {
      const writes = tasks(CAPACITY + 2).map((task) => create([task]));
      const kinds = await Promise.all(writes);
      expect(kinds).to.deep.equal(kinds.map((_, index) => (index < CAPACITY ? "created" : "queueFull")));
    });

    it("answers a request that was made before also while the queue is full", async () => {
      const request = { requestId: "again", requestHash: "h" };
      const [first] = tasks(1, request);
      expect(await create([first ?? sampleTask(), ...tasks(CAPACITY - 1)])).to.equal("created");
      expect(await create(tasks(1, request))).to.equal("created");
      expect(await create([...tasks(1, request), ...tasks(1)])).to.equal("queueFull");
    });

    it("has room again for every task that ends, and none for one that waits or runs", async () => {
      const [done, cancelled, waiting] = tasks(CAPACITY, { runTimeMs: 1 });
      if (done === undefined || cancelled === undefined || waiting === undefined) throw new Error("no tasks");
      await create([done, cancelled, { ...waiting, runTimeMs: Date.now() + 3_600_000 }]);
      await store.write({ kind: "applyReports", batches: [reportBatch(done.id, [started])] });
      expect(await create(tasks(1))).to.equal("queueFull");
      await store.write({
        kind: "applyReports",
        batches: [reportBatch(done.id, [succeeded()], { firstNumber: 2 })],
      });
      await cancel(cancelled);
      expect(await create(tasks(3))).to.equal("queueFull");
      expect(await create(tasks(2))).to.equal("created");
    });

    it("opens a task again only where there is room, and says first whether it could be opened at all", async () => {
      const [first, completed, ...others] = tasks(CAPACITY);
      if (first === undefined || completed === undefined) throw new Error("no tasks");
      await create([first, completed, ...others]);
      await cancel(first);
      await finish(completed);
      await create(tasks(2));
      expect(await reopen(first)).to.equal("queueFull");
      expect(await reopen(completed)).to.equal("completed");
      expect(await reopen(others[0] ?? sampleTask())).to.equal("notFinished");
      await cancel(others[0] ?? sampleTask());
      expect(await reopen(first)).to.equal("reopened");
      expect(await create(tasks(1))).to.equal("queueFull");
    });

    it("counts the same after a restart", async () => {
      const all = tasks(CAPACITY);
      await create(all);
      await cancel(all[0] ?? sampleTask());
      await store.stop();
      store = place.open();
      await store.start();
      expect(store.statistics.held("default")).to.deep.equal({ open: CAPACITY - 1, running: 0 });
      expect(await create(tasks(2))).to.equal("queueFull");
      expect(await create(tasks(1))).to.equal("created");
      expect(await create(tasks(1))).to.equal("queueFull");
    });

    it("counts nothing of a command that failed, and all of those beside it", async () => {
      const [good, other] = tasks(2);
      if (good === undefined || other === undefined) throw new Error("no tasks");
      const results = await Promise.all([
        create([good]),
        rejectionOf(create([...tasks(1), { ...sampleTask(), id: good.id }])),
        create([other]),
      ]);
      expect([results[0], results[2]]).to.deep.equal(["created", "created"]);
      expect(store.statistics.held("default")).to.deep.equal({ open: 2, running: 0 });
      expect(await create(tasks(2))).to.equal("queueFull");
      expect(await create(tasks(1))).to.equal("created");
    });

    it("keeps a task that is opened again while finished ones are deleted beside it", async () => {
      const [old] = tasks(1);
      if (old === undefined) throw new Error("no task");
      await create([old]);
      await cancel(old);
      const beforeMs = Date.now() + 60_000;
      const [verdict] = await Promise.all([reopen(old), store.write({ kind: "deleteFinished", beforeMs, limit: 100 })]);
      expect(verdict).to.equal("reopened");
      const task = await store.read({ kind: "getTask", id: old.id, isFull: false });
      expect(task?.state).to.equal(TaskState.PENDING);
      expect(await create(tasks(CAPACITY - 1))).to.equal("created");
      expect(await create(tasks(1))).to.equal("queueFull");
    });
  });
}
