import { expect } from "chai";
import { MAX_COUNTED, type QueuePlace } from "#task-service/store/read-query.js";
import type { NewTask } from "#task-service/store/task-record.js";
import type { TaskStore } from "#task-service/store/task-store.js";
import { failed, reportBatch, sampleTask, started } from "#test/conformance/task-store/sample-task.js";
import type { StoreFactory, StorePlace } from "#test/conformance/task-store/store-factory.js";

const HOUR_MS = 3_600_000;
const TYPES = ["line.a", "line.b", "line.c"];

/** What a store promises about where a task stands in its queue. */
export function situationSuite(factory: StoreFactory): void {
  describe(`${factory.name}: situation`, () => {
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

    const create = (tasks: readonly NewTask[]) => store.write({ kind: "create", tasks });
    const read = (id: string) => store.read({ kind: "readSituation", id });
    const placeOf = async (id: string) => (await read(id))?.place;
    const exactly = (position: number, total: number): QueuePlace => {
      return { position, total, isPositionMinimum: false, isTotalMinimum: false };
    };

    it("is the task without its payload, and null for one that is not there", async () => {
      const task = sampleTask({ queue: "one", payloadJson: '{"a":1}' });
      await create([task]);
      const stored = await store.read({ kind: "getTask", id: task.id, isFull: false });
      expect(await read(task.id)).to.deep.equal({ task: stored, place: exactly(1, 1), lockedBy: null });
      expect(await read(sampleTask().id)).to.equal(null);
    });

    it("has no place while the task runs, waits for its time, or has ended", async () => {
      const [delayed, runs, retries, fails] = [
        sampleTask({ queue: "none", runTimeMs: Date.now() + HOUR_MS }),
        sampleTask({ queue: "none" }),
        sampleTask({ queue: "none", maxAttempts: 2 }),
        sampleTask({ queue: "none", maxAttempts: 1 }),
      ] as const;
      await create([delayed, runs, retries, fails]);
      const batches = [
        reportBatch(runs.id, [started]),
        reportBatch(retries.id, [started, failed(HOUR_MS)]),
        reportBatch(fails.id, [started, failed(0)]),
      ];
      await store.write({ kind: "applyReports", batches });
      for (const { id } of [delayed, runs, retries, fails]) expect(await placeOf(id)).to.equal(null);
      const due = sampleTask({ queue: "none" });
      await create([due]);
      expect(await placeOf(due.id)).to.deep.equal(exactly(1, 1));
    });

    it("counts the due tasks of all types of the queue by priority, then run time, then age", async () => {
      const now = Date.now();
      const tasks = Array.from({ length: 60 }, (_, index) =>
        sampleTask({
          queue: "line",
          type: TYPES[(index * 7) % TYPES.length] ?? "",
          priority: ((index * 5) % 4) - 2,
          runTimeMs: now - ((index * 11) % 3),
        }),
      );
      await create([...tasks, sampleTask({ queue: "line-2", priority: 9 })]);
      const inOrder = tasks
        .map((task, age) => ({ ...task, age }))
        .sort((a, b) => b.priority - a.priority || a.runTimeMs - b.runTimeMs || a.age - b.age);
      for (const [index, { id }] of inOrder.entries())
        expect(await placeOf(id), `place ${index + 1}`).to.deep.equal(exactly(index + 1, tasks.length));
    });

    it(`ends counting at ${MAX_COUNTED}, and says so`, async () => {
      const many = Array.from({ length: MAX_COUNTED + 1 }, (_, index) => {
        return sampleTask({ queue: "many", type: TYPES[index % TYPES.length] ?? "", runTimeMs: 1000 + index });
      });
      const [first] = many;
      const last = many.at(-1);
      const atBound = many.slice(0, MAX_COUNTED);
      for (let begin = 0; begin < atBound.length; begin += 1000) await create(atBound.slice(begin, begin + 1000));
      expect(await placeOf(first?.id ?? "")).to.deep.equal(exactly(1, MAX_COUNTED));
      expect(await placeOf(atBound.at(-1)?.id ?? "")).to.deep.equal(exactly(MAX_COUNTED, MAX_COUNTED));
      await create(many.slice(MAX_COUNTED));
      const beyond = { position: MAX_COUNTED, total: MAX_COUNTED, isTotalMinimum: true };
      expect(await placeOf(last?.id ?? "")).to.deep.equal({ ...beyond, isPositionMinimum: true });
      const second = many[1]?.id ?? "";
      expect(await placeOf(second)).to.deep.equal({ ...beyond, position: 2, isPositionMinimum: false });
    });
  });
}
