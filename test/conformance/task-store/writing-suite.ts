import { expect } from "chai";
import { TaskEvent } from "#libs/proto/gen/taskwire/v1/task_event.js";
import { TaskState } from "#libs/tasks/task-state.js";
import type { Commit } from "#task-service/store/commit.js";
import type { NewTask, TaskRecord } from "#task-service/store/task-record.js";
import type { TaskStore } from "#task-service/store/task-store.js";
import {
  failed,
  progress,
  reportBatch,
  sampleTask,
  started,
  succeeded,
  WORKER,
} from "#test/conformance/task-store/sample-task.js";
import type { StoreFactory, StorePlace } from "#test/conformance/task-store/store-factory.js";
import { rejectionOf } from "#test/support/rejection-of.js";

/** What a store promises about creating tasks, applying reports and cancelling. */
export function writingSuite(factory: StoreFactory): void {
  describe(`${factory.name}: writing`, () => {
    let place: StorePlace;
    let store: TaskStore;
    const commits: Commit[] = [];

    before(async () => {
      place = factory.createPlace();
      store = place.open();
      store.onCommit((commit) => commits.push(commit));
      await store.start();
    });

    after(async () => {
      await store.stop();
      place.remove();
    });

    async function create(overrides: Partial<NewTask> = {}): Promise<string> {
      const task = sampleTask(overrides);
      await store.write({ kind: "create", tasks: [task] });
      return task.id;
    }

    async function get(id: string): Promise<TaskRecord> {
      const task = await store.read({ kind: "getTask", id, isFull: true });
      if (task === null) throw new Error(`there is no task ${id}`);
      return task;
    }

    function report(...batches: Uint8Array[]) {
      return store.write({ kind: "applyReports", batches });
    }

    async function historyOf(id: string): Promise<TaskEvent[]> {
      const history = await store.read({ kind: "readEvents", id, afterSequence: 0, limit: 1000 });
      return (history?.events ?? []).map(({ body }) => TaskEvent.decode(body));
    }

    it("gives a created task back with everything that was asked for", async () => {
      const asked = sampleTask({
        queue: "mail",
        priority: -7,
        payloadJson: '{"text":"안녕","n":[1,2.5,null]}',
        labelsJson: '{"team":"a","app.example/x":"y"}',
        description: "한 문장",
        maxAttempts: 9,
        initialDelayMs: 0,
        maximumDelayMs: 5,
        multiplier: 1.5,
        softTimeoutMs: 10,
        hardTimeoutMs: 20,
        memoryBytes: 64 * 1024 * 1024 * 1024,
      });
      await store.write({ kind: "create", tasks: [asked] });
      const { labelsJson, requestId, requestHash, ...fields } = asked;
      expect([requestId, requestHash]).to.deep.equal([null, null]);
      const task = await get(asked.id);
      expect(task).to.deep.include(fields);
      expect(task.labels).to.deep.equal(JSON.parse(labelsJson));
      expect(task).to.include({ state: TaskState.PENDING, attempt: 0, sequence: 1, workerId: null, resultJson: null });
      const basic = await store.read({ kind: "getTask", id: asked.id, isFull: false });
      expect(basic).to.include({ payloadJson: "", resultJson: null, description: "한 문장" });
    });

    it("knows no task of another id", async () => {
      expect(await store.read({ kind: "getTask", id: sampleTask().id, isFull: true })).to.equal(null);
      const latest = { kind: "readLatestEvents", id: sampleTask().id, beforeSequence: null, limit: 1 } as const;
      expect(await store.read(latest)).to.equal(null);
      const missing = { kind: "readEvents", id: sampleTask().id, afterSequence: 0, limit: 1 } as const;
      expect(await store.read(missing)).to.equal(null);
    });

    it("answers the same request id with the same body by the first task, with another body by a refusal", async () => {
      const first = sampleTask({ requestId: "r-1", requestHash: "h" });
      await store.write({ kind: "create", tasks: [first] });
      await report(reportBatch(first.id, [started, succeeded()]));
      const again = await store.write({
        kind: "create",
        tasks: [sampleTask(), sampleTask({ requestId: "r-1", requestHash: "h" })],
      });
      if (again.kind !== "created") throw new Error("refused");
      expect(again.existing.map((task) => task?.id ?? null)).to.deep.equal([null, first.id]);
      expect(again.existing[1]?.state).to.equal(TaskState.COMPLETED);
      const untouched = sampleTask();
      const reused = await store.write({
        kind: "create",
        tasks: [untouched, sampleTask({ requestId: "r-1", requestHash: "other" })],
      });
      expect(reused).to.deep.equal({ kind: "requestIdReused", index: 1 });
      expect(await store.read({ kind: "getTask", id: untouched.id, isFull: false })).to.equal(null);
    });

    it("refuses a request id that comes twice in one batch", async () => {
      const twice = { requestId: "r-2", requestHash: "h" };
      const tasks = [sampleTask(twice), sampleTask(twice)];
      expect(await store.write({ kind: "create", tasks })).to.deep.equal({ kind: "requestIdReused", index: 1 });
    });

    it("applies a report once, however often it comes", async () => {
      const id = await create();
      const batch = reportBatch(id, [started, progress(1), progress(2)]);
      await report(batch, batch);
      await report(batch);
      const done = reportBatch(id, [succeeded('{"ok":true}')], { firstNumber: 4 });
      await report(done);
      expect((await report(done)).stale).to.deep.equal([]);
      const kinds = (await historyOf(id)).map(({ kind }) => kind?.$case);
      expect(kinds).to.deep.equal(["created", "started", "progress", "progress", "completed"]);
      expect(await get(id)).to.include({ state: TaskState.COMPLETED, resultJson: '{"ok":true}', workerId: WORKER });
    });

    it("refuses reports about attempts the worker does not hold and about tasks there are not", async () => {
      const id = await create();
      await report(reportBatch(id, [started]));
      const nobody = sampleTask().id;
      const { stale, undecodable } = await report(
        reportBatch(id, [succeeded()], { workerId: "thief", firstNumber: 2 }),
        reportBatch(nobody, [started]),
        Uint8Array.from([0xff, 0xff]),
      );
      expect(stale.map(({ taskId, workerId }) => [taskId, workerId])).to.deep.equal([
        [id, "thief"],
        [nobody, WORKER],
      ]);
      expect(undecodable).to.equal(1);
      expect(await get(id)).to.include({ state: TaskState.RUNNING, workerId: WORKER });
    });

    it("numbers a task's events 1, 2, 3, … and reads them on from any of them", async () => {
      const id = await create();
      await report(reportBatch(id, [started, ...Array.from({ length: 20 }, (_, index) => progress(index))]));
      await report(
        reportBatch(id, [failed(0)], { firstNumber: 22 }),
        reportBatch(id, [started, succeeded()], { attempt: 2 }),
      );
      const events = await historyOf(id);
      expect(events.map(({ sequence }) => sequence)).to.deep.equal(events.map((_, index) => index + 1));
      expect(events.every(({ taskId }) => taskId === id)).to.equal(true);
      const task = await get(id);
      expect(task.sequence).to.equal(events.length);
      for (const afterSequence of [0, 1, 7, events.length]) {
        const rest = await store.read({ kind: "readEvents", id, afterSequence, limit: 5 });
        const expected = events.slice(afterSequence, afterSequence + 5).map(({ sequence }) => sequence);
        expect(rest?.events.map(({ sequence }) => sequence)).to.deep.equal(expected);
        expect(rest).to.include({ state: TaskState.COMPLETED, sequence: events.length });
      }
      const all = await store.read({ kind: "readEvents", id, afterSequence: 0, limit: 1000 });
      const backwards = [...(all?.events ?? [])].reverse();
      for (const beforeSequence of [null, events.length + 1, events.length, 7, 2, 1]) {
        const rest = await store.read({ kind: "readLatestEvents", id, beforeSequence, limit: 5 });
        const from = beforeSequence === null ? 0 : events.length + 1 - beforeSequence;
        expect(rest?.events).to.deep.equal(backwards.slice(from, from + 5));
        expect(rest).to.include({ state: TaskState.COMPLETED, sequence: events.length });
      }
    });

    it("tells of each commit before its writes resolve, with the events as they are stored", async () => {
      commits.length = 0;
      const id = await create();
      const told = commits.flatMap(({ events }) => events).filter(({ taskId }) => taskId === id);
      expect(told.map(({ sequence, isTerminal }) => [sequence, isTerminal])).to.deep.equal([[1, false]]);
      await report(reportBatch(id, [started, succeeded()]));
      const events = commits.flatMap((commit) => commit.events).filter(({ taskId }) => taskId === id);
      const stored = await store.read({ kind: "readEvents", id, afterSequence: 0, limit: 10 });
      expect(events.map(({ body }) => Buffer.from(body).toString("hex"))).to.deep.equal(
        stored?.events.map(({ body }) => Buffer.from(body).toString("hex")),
      );
      const last = commits.at(-1);
      expect(last?.revision).to.equal(events.at(-1)?.revision).and.to.equal(store.revision);
      expect(last?.changes.map((change) => [change.id, change.state])).to.deep.equal([[id, TaskState.COMPLETED]]);
    });

    it("lets a command that fails fail alone, without a trace of it", async () => {
      const good = sampleTask();
      const half = sampleTask();
      const other = sampleTask();
      const bad = { ...sampleTask(), id: good.id };
      const results = await Promise.allSettled([
        store.write({ kind: "create", tasks: [good] }),
        store.write({ kind: "create", tasks: [half, bad] }),
        store.write({ kind: "create", tasks: [other] }),
      ]);
      expect(results.map(({ status }) => status)).to.deep.equal(["fulfilled", "rejected", "fulfilled"]);
      for (const id of [good.id, other.id]) expect(await get(id)).to.include({ sequence: 1 });
      expect(await store.read({ kind: "getTask", id: half.id, isFull: false })).to.equal(null);
      const error = await rejectionOf(store.write({ kind: "create", tasks: [bad] }));
      expect(error.message).to.contain("could not apply a command").and.to.contain("UNIQUE");
    });

    it("does not let a report with broken JSON hold up the others, and ends its attempt", async () => {
      const broken = await create({ maxAttempts: 1 });
      const sound = await create();
      const log = { level: 2, message: "line", fieldsJson: "{broken", capped: false };
      const { undecodable } = await report(
        reportBatch(broken, [started, { $case: "log", value: log }, succeeded("{broken")]),
        reportBatch(sound, [started, succeeded()]),
      );
      expect(undecodable).to.equal(0);
      expect((await get(sound)).state).to.equal(TaskState.COMPLETED);
      const task = await get(broken);
      expect(task.state).to.equal(TaskState.FAILED);
      expect(task.error?.code).to.equal("RESULT_REJECTED");
    });

    it("answers a cancel by where the task stands", async () => {
      const cancel = (id: string, mayBeWithWorker: boolean) =>
        store.write({ kind: "requestCancel", id, reason: "enough", withWorker: mayBeWithWorker ? "any" : null });
      const verdictOf = async (id: string, mayBe: boolean) => (await cancel(id, mayBe)).verdict;
      const waiting = await create();
      expect(await verdictOf(waiting, true)).to.equal("accepted");
      expect(await get(waiting)).to.include({ state: TaskState.PENDING, cancelReason: "enough" });
      expect(await verdictOf(waiting, false)).to.equal("repeated");
      expect((await get(waiting)).state).to.equal(TaskState.CANCELLED);
      expect(await verdictOf(waiting, false)).to.equal("repeated");
      const running = await create();
      await report(reportBatch(running, [started]));
      expect(await verdictOf(running, true)).to.equal("accepted");
      expect((await get(running)).state).to.equal(TaskState.RUNNING);
      await report(reportBatch(running, [{ $case: "cancelled", value: { phase: 3 } }], { firstNumber: 2 }));
      expect((await get(running)).state).to.equal(TaskState.CANCELLED);
      const finished = await create();
      await report(reportBatch(finished, [started, succeeded()]));
      expect(await verdictOf(finished, true)).to.equal("finished");
      expect(await cancel(sampleTask().id, true)).to.deep.equal({ verdict: "notFound", task: null });
    });

    it("finds the task that a request has made, and makes none where it must exist", async () => {
      const request = { requestId: "must-exist", requestHash: "hash" };
      const ask = (task = sampleTask(request)) => store.write({ kind: "create", tasks: [task], mustExist: true });
      expect(await ask()).to.deep.equal({ kind: "missing" });
      const made = sampleTask(request);
      await store.write({ kind: "create", tasks: [made] });
      const found = await ask();
      expect(found.kind === "created" && found.existing.map((task) => task?.id)).to.deep.equal([made.id]);
      const other = sampleTask({ ...request, requestHash: "other" });
      expect(await ask(other)).to.deep.equal({ kind: "requestIdReused", index: 0 });
    });

    it("tells which unfinished tasks want to be watched, page by page", async () => {
      const tasks = [1000, null, 2000, 3000, 4000].map((unwatchedCancelMs) => sampleTask({ unwatchedCancelMs }));
      const [first, , second, third, finished] = tasks.map(({ id }) => id);
      await store.write({ kind: "create", tasks });
      await report(reportBatch(finished ?? "", [started, succeeded()]));
      const read = (afterKey: number, limit: number) => store.read({ kind: "readUnwatchedCancels", afterKey, limit });
      const all = await read(0, 10);
      expect(all.map(({ id, afterMs }) => [id, afterMs])).to.deep.equal([
        [first, 1000],
        [second, 2000],
        [third, 3000],
      ]);
      expect(await read(all[0]?.key ?? 0, 1)).to.deep.equal(all.slice(1, 2));
      await store.write({ kind: "requestCancel", id: first ?? "", reason: "", withWorker: "any" });
      expect(await read(0, 10), "it is being cancelled already").to.deep.equal(all.slice(1));
    });
  });
}
