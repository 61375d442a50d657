import { BinaryReader } from "@bufbuild/protobuf/wire";
import { expect } from "chai";
import { WatchTasksResponse, type WatchedChange } from "#libs/proto/gen/taskwire/v1/task_service.js";
import { parseFilter } from "#libs/tasks/filter/parse-filter.js";
import type { CommittedEvent } from "#task-service/store/commit.js";
import { EventClass } from "#task-service/store/log/event-head.js";
import type { LogSelection } from "#task-service/store/log/log-selector.js";
import type { LogPage, LogQuery } from "#task-service/store/read-query.js";
import type { TaskStore } from "#task-service/store/task-store.js";
import { progress, reportBatch, sampleTask, started, succeeded } from "#test/conformance/task-store/sample-task.js";
import type { StoreFactory, StorePlace } from "#test/conformance/task-store/store-factory.js";

const ALL_CLASSES = 15;
const HOUR_MS = 3_600_000;

/** What a store promises to watchers of many tasks. */
export function logSuite(factory: StoreFactory): void {
  describe(`${factory.name}: the log of all tasks`, () => {
    let place: StorePlace;
    let store: TaskStore;
    const events: CommittedEvent[] = [];

    beforeEach(async () => {
      place = factory.createPlace();
      store = place.open();
      events.length = 0;
      store.onCommit((commit) => events.push(...commit.events));
      await store.start();
    });

    afterEach(async () => {
      await store.stop();
      place.remove();
    });

    const report = (...batches: Uint8Array[]) => store.write({ kind: "applyReports", batches });
    const readLog = (query: Partial<LogQuery> = {}) =>
      store.read({
        kind: "readLog",
        selection: selectionOf(""),
        afterRevision: 0,
        upToRevision: null,
        upToId: null,
        ...query,
      });

    async function readAll(selection: LogSelection): Promise<{ changes: WatchedChange[]; conflated: number[] }> {
      const changes: WatchedChange[] = [];
      const conflated: number[] = [];
      let page: LogPage;
      let afterRevision = 0;
      do {
        page = await readLog({ selection, afterRevision });
        expect(page.revision).to.be.at.least(afterRevision);
        changes.push(...changesOf(page));
        conflated.push(...page.conflated);
        afterRevision = page.revision;
      } while (page.revision < page.lastRevision);
      return { changes, conflated };
    }

    it("has every event once, as it was announced, with type and queue", async () => {
      const tasks = Array.from({ length: 1500 }, (_, index) => sampleTask({ queue: `q${index % 3}` }));
      await store.write({ kind: "create", tasks });
      await report(...tasks.map(({ id }) => reportBatch(id, [started, succeeded()])));
      const { changes, conflated } = await readAll(selectionOf(""));
      expect(conflated).to.deep.equal([]);
      expect(changes.map(revisionOf)).to.deep.equal(events.map(({ revision }) => revision));
      const queues = new Map(tasks.map(({ id, queue }) => [id, queue]));
      for (const { kind } of changes) {
        if (kind?.$case !== "event") throw new Error("no task can leave a filter that takes all");
        expect(kind.value).to.include({ type: "test.sample", queue: queues.get(kind.value.taskId) });
      }
    });

    it("tells how a task stood before each event, as the event before says", async () => {
      const task = sampleTask();
      await store.write({ kind: "create", tasks: [task] });
      await report(reportBatch(task.id, [started, progress(1)]));
      await report(reportBatch(task.id, [succeeded()], { firstNumber: 3 }));
      expect(events.map(({ before }) => [before.state, before.attempt])).to.deep.equal([
        [0, 0],
        [1, 0],
        [2, 1],
        [2, 1],
      ]);
      await store.stop();
      store = place.open();
      await store.start();
      const reopened: CommittedEvent[] = [];
      store.onCommit((commit) => reopened.push(...commit.events));
      const late = sampleTask();
      await store.write({ kind: "create", tasks: [late] });
      await store.stop();
      store = place.open();
      await store.start();
      store.onCommit((commit) => reopened.push(...commit.events));
      await report(reportBatch(late.id, [started]));
      expect(reopened.map(({ before: { state } }) => state)).to.deep.equal([0, 1]);
    });

    it("selects by filter and class, and tells where a task leaves the filter", async () => {
      const [one, other] = [sampleTask({ labelsJson: '{"team":"docs"}' }), sampleTask()];
      await store.write({ kind: "create", tasks: [one, other] });
      await report(reportBatch(one.id, [started, progress(1)]), reportBatch(other.id, [started]));
      await report(reportBatch(one.id, [succeeded()], { firstNumber: 3 }));
      const told = async (filter: string, classes = ALL_CLASSES) =>
        (await readAll(selectionOf(filter, classes))).changes.map(({ kind }) =>
          kind?.$case === "event" ? kind.value.kind?.$case : kind?.$case,
        );
      expect(await told("labels.team = docs")).to.deep.equal(["created", "started", "progress", "completed"]);
      expect(await told("labels.team = docs", EventClass.PROGRESS)).to.deep.equal(["progress"]);
      expect(await told("labels.team = docs state = RUNNING")).to.deep.equal(["started", "progress", "unselected"]);
      expect(await told("state = RUNNING", EventClass.STATES)).to.deep.equal(["started", "started", "unselected"]);
      expect(await told("attempt = 0")).to.deep.equal(["created", "created", "unselected", "unselected"]);
      expect(await told("NOT labels:team AND state = PENDING")).to.deep.equal(["created", "unselected"]);
    });

    it("leaves out progress that later progress of the attempt replaces, and names it", async () => {
      const [one, other] = [sampleTask(), sampleTask()];
      await store.write({ kind: "create", tasks: [one, other] });
      await report(reportBatch(one.id, [started]), reportBatch(other.id, [started]));
      for (let number = 2; number <= 6; number += 1)
        await report(
          reportBatch(one.id, [progress(number)], { firstNumber: number }),
          reportBatch(other.id, [progress(number)], { firstNumber: number }),
        );
      const { changes, conflated } = await readAll(selectionOf("", ALL_CLASSES));
      const told = changes.flatMap(({ kind }) => (kind?.$case === "event" ? [kind.value] : []));
      const currents = told.flatMap(({ kind }) => (kind?.$case === "progress" ? [kind.value.current] : []));
      expect(currents).to.deep.equal([6, 6]);
      const revisions = [...told.map(({ revision }) => revision), ...conflated].sort((a, b) => a - b);
      expect(revisions).to.deep.equal(events.map(({ revision }) => revision));
    });

    it("reads up to a revision, and only tasks up to an id", async () => {
      const tasks = Array.from({ length: 4 }, () => sampleTask());
      for (const task of tasks) await store.write({ kind: "create", tasks: [task] });
      const page = await readLog({ upToRevision: 3, upToId: tasks[1]?.id ?? "" });
      expect(page).to.include({ revision: 3, lastRevision: 4, compactedRevision: 0 });
      expect(changesOf(page).map(revisionOf)).to.deep.equal([1, 2]);
    });

    it("lists the tasks that match, page by page, and as of which revision", async () => {
      const tasks = Array.from({ length: 230 }, () => sampleTask());
      await store.write({ kind: "create", tasks });
      const filter = selectionOf("state = PENDING").filter;
      const seen: string[] = [];
      let hasMore = true;
      while (hasMore) {
        const page = await store.read({ kind: "readSelected", filter, afterId: seen.at(-1) ?? "" });
        expect(page.lastRevision).to.equal(230);
        seen.push(...page.tasks.map(({ id }) => id));
        hasMore = page.hasMore;
      }
      expect(seen).to.deep.equal(tasks.map(({ id }) => id));
    });

    it("has a new task match by update_time as a snapshot has it, also when ids run ahead of a clock that went back", async () => {
      const nowMs = Date.now();
      const aheadMs = nowMs + HOUR_MS;
      const task = sampleTask({ createTimeMs: aheadMs, runTimeMs: aheadMs });
      await store.write({ kind: "create", tasks: [task] });
      const selection = selectionOf(`update_time > ${new Date(nowMs + HOUR_MS / 2).toISOString()}`);
      const snapshot = await store.read({ kind: "readSelected", filter: selection.filter, afterId: "" });
      const told = changesOf(await readLog({ selection })).map(({ kind }) =>
        kind?.$case === "event" ? [kind.value.taskId, kind.value.time?.getTime()] : [],
      );
      expect(told).to.deep.equal([[task.id, aheadMs]]);
      expect(snapshot.tasks.map(({ id, updateTimeMs }) => [id, updateTimeMs])).to.deep.equal(told);
    });

    it("says up to where events may be missing once finished tasks were deleted, also after a restart", async () => {
      const [old, kept] = [sampleTask(), sampleTask()];
      await store.write({ kind: "create", tasks: [old, kept] });
      await report(reportBatch(old.id, [started, succeeded()]));
      const end = events.at(-1)?.revision ?? 0;
      await report(reportBatch(kept.id, [started]));
      expect((await readLog()).compactedRevision).to.equal(0);
      await store.write({ kind: "deleteFinished", beforeMs: Date.now() + 1000, limit: 10 });
      const expected = { compactedRevision: end, lastRevision: end + 1 };
      expect(await readLog()).to.include(expected);
      expect(changesOf(await readLog())).to.deep.equal([]);
      expect(changesOf(await readLog({ afterRevision: end })).map(revisionOf)).to.deep.equal([end + 1]);
      await store.stop();
      store = place.open();
      await store.start();
      expect(await readLog()).to.include(expected);
    });
  });
}

function selectionOf(text: string, classes = ALL_CLASSES): LogSelection {
  const result = parseFilter(text);
  if (!result.ok) throw new Error(`no filter: ${text}`);
  return { filter: result.expression, classes };
}

function changesOf(page: LogPage): WatchedChange[] {
  return WatchTasksResponse.decode(new BinaryReader(page.changes)).changes;
}

function revisionOf({ kind }: WatchedChange): number {
  return kind?.value.revision ?? 0;
}
