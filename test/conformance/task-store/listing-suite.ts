import { expect } from "chai";
import { TaskState } from "#libs/tasks/task-state.js";
import type { ListQuery } from "#task-service/store/read-query.js";
import type { TaskRecord } from "#task-service/store/task-record.js";
import type { TaskStore } from "#task-service/store/task-store.js";
import { LIST_ALL, reportBatch, sampleTask, started, succeeded } from "#test/conformance/task-store/sample-task.js";
import { filterOf } from "#test/support/filter-of.js";
import type { StoreFactory, StorePlace } from "#test/conformance/task-store/store-factory.js";

const TYPES = ["list.a", "list.b", "list.c"];
const QUEUES = ["default", "mail"];

/** What a store promises about lists of tasks. */
export function listingSuite(factory: StoreFactory): void {
  describe(`${factory.name}: listing`, () => {
    let place: StorePlace;
    let store: TaskStore;
    let all: readonly TaskRecord[];

    before(async () => {
      place = factory.createPlace();
      store = place.open();
      await store.start();
      const tasks = Array.from({ length: 60 }, (_, index) =>
        sampleTask({
          type: TYPES[index % TYPES.length] ?? "",
          queue: QUEUES[index % QUEUES.length] ?? "",
          labelsJson: JSON.stringify({ round: String(index % 4), "app.example/even": index % 2 === 0 ? "yes" : "no" }),
          payloadJson: JSON.stringify({ index, text: "x".repeat(1000) }),
        }),
      );
      // All in one commit, so that they share their update time; a third of them changes once more.
      await store.write({ kind: "create", tasks });
      const third = tasks.filter((_, index) => index % 3 === 0);
      const batches = third.map(({ id }, index) =>
        reportBatch(id, index % 2 === 0 ? [started] : [started, succeeded()]),
      );
      await store.write({ kind: "applyReports", batches });
      all = await list({});
    });

    after(async () => {
      await store.stop();
      place.remove();
    });

    async function list(query: Partial<ListQuery>): Promise<readonly TaskRecord[]> {
      return (await store.read({ kind: "listTasks", list: { ...LIST_ALL, ...query } })).tasks;
    }

    const matching = (filter: string, query: Partial<ListQuery> = {}) => list({ ...query, filter: filterOf(filter) });
    const timeText = (ms: number) => new Date(ms).toISOString();
    const idsOf = (tasks: readonly TaskRecord[]) => tasks.map(({ id }) => id);
    const expectOnly = async (filter: string, isMeant: (task: TaskRecord) => boolean) => {
      const meant = all.filter(isMeant);
      expect(meant.length).to.be.within(1, all.length - 1);
      expect(idsOf(await matching(filter))).to.deep.equal(idsOf(meant));
    };

    it("filters by ids, types, queues and states", async () => {
      const some = idsOf(all).filter((_, index) => index % 7 === 0);
      await expectOnly(some.map((id) => `id = ${id}`).join(" OR "), ({ id }) => some.includes(id));
      await expectOnly("type = list.a", ({ type }) => type === "list.a");
      await expectOnly("type = list.a OR type = list.c OR type = list.nothing", ({ type }) => type !== "list.b");
      await expectOnly("queue = mail", ({ queue }) => queue === "mail");
      await expectOnly("state = RUNNING", ({ state }) => state === TaskState.RUNNING);
      const { RUNNING, COMPLETED } = TaskState;
      await expectOnly("state = RUNNING OR state = COMPLETED", ({ state }) => state === RUNNING || state === COMPLETED);
      expect(await matching("type = list.nothing")).to.deep.equal([]);
    });

    it("filters by labels, all of which must match", async () => {
      await expectOnly("labels.round = 1", ({ labels }) => labels["round"] === "1");
      const even = 'labels."app.example/even" = yes';
      await expectOnly(`labels.round = 2 AND ${even}`, ({ labels }) => labels["round"] === "2");
      expect(await matching(`labels.round = 1 AND ${even}`)).to.deep.equal([]);
      expect(await matching('labels.absent = ""')).to.deep.equal([]);
    });

    it("joins different fields by AND", async () => {
      await expectOnly(
        "type = list.a AND queue = mail AND labels.round = 1",
        (task) => task.type === "list.a" && task.queue === "mail" && task.labels["round"] === "1",
      );
    });

    it("filters by time ranges that hold their start and not their end", async () => {
      const created = [...new Set(all.map(({ createTimeMs }) => createTimeMs))];
      for (const from of [created[0] ?? 0, (created.at(-1) ?? 0) + 1]) {
        expect(idsOf(await matching(`create_time >= ${timeText(from)}`))).to.deep.equal(
          idsOf(all.filter(({ createTimeMs }) => createTimeMs >= from)),
        );
        expect(idsOf(await matching(`create_time < ${timeText(from)}`))).to.deep.equal(
          idsOf(all.filter(({ createTimeMs }) => createTimeMs < from)),
        );
      }
      const changedAt = Math.max(...all.map(({ updateTimeMs }) => updateTimeMs));
      const at = timeText(changedAt);
      const changed = idsOf(all.filter(({ updateTimeMs }) => updateTimeMs >= changedAt));
      expect(idsOf(await matching(`update_time >= ${at}`))).to.deep.equal(changed);
      expect(idsOf(await matching(`update_time >= ${at} update_time < ${at}`))).to.deep.equal([]);
      const before = await matching(`update_time < ${at}`);
      expect(before.length + changed.length).to.equal(all.length);
    });

    for (const sortBy of ["id", "update_time"] as const) {
      for (const isDescending of [false, true]) {
        for (const limit of [1, 7, 60]) {
          it(`pages by ${sortBy}${isDescending ? " desc" : ""}, ${limit} at a time, without gap or repeat`, async () => {
            const sorted = [...all].sort(
              (a, b) => (sortBy === "id" ? 0 : a.updateTimeMs - b.updateTimeMs) || (a.id < b.id ? -1 : 1),
            );
            if (isDescending) sorted.reverse();
            const seen: TaskRecord[] = [];
            for (let hasMore = true; hasMore;) {
              const query: ListQuery = { ...LIST_ALL, sortBy, isDescending, limit, after: seen.at(-1) ?? null };
              const page = await store.read({ kind: "listTasks", list: query });
              seen.push(...page.tasks);
              hasMore = page.hasMore;
              expect(page.tasks.length).to.be.within(1, limit);
            }
            expect(idsOf(seen)).to.deep.equal(idsOf(sorted));
          });
        }
      }
    }

    it("cuts a page by its size, but never below one task", async () => {
      const cut = await store.read({ kind: "listTasks", list: { ...LIST_ALL, isFull: true, maxBytes: 5000 } });
      expect(cut.hasMore).to.equal(true);
      expect(cut.tasks.length).to.be.within(2, 5);
      const one = await store.read({ kind: "listTasks", list: { ...LIST_ALL, isFull: true, maxBytes: 1 } });
      expect([one.tasks.length, one.hasMore]).to.deep.equal([1, true]);
    });

    it("carries payloads and results only when asked to", async () => {
      const full = await matching("state = COMPLETED", { isFull: true });
      expect(full.every(({ payloadJson, resultJson }) => payloadJson.length > 1000 && resultJson === "null")).to.equal(
        true,
      );
      const basic = await matching("state = COMPLETED");
      expect(basic.every(({ payloadJson, resultJson }) => payloadJson === "" && resultJson === null)).to.equal(true);
    });

    it("reads due tasks of a lane in the order of dispatch, from any of them on", async () => {
      const lane = { queue: "ordered", type: "list.due" };
      const tasks = Array.from({ length: 30 }, (_, index) =>
        sampleTask({ ...lane, priority: (index * 7) % 5, runTimeMs: 1000 + ((index * 11) % 4) }),
      );
      await store.write({ kind: "create", tasks });
      const due = await store.read({ kind: "readDue", lane, after: null, limit: 100 });
      const sorted = [...due].sort((a, b) => b.priority - a.priority || a.runTimeMs - b.runTimeMs || a.key - b.key);
      expect(due.length).to.equal(30);
      expect(due).to.deep.equal(sorted);
      for (const index of [0, 5, 29]) {
        const after = due[index] ?? null;
        const rest = await store.read({ kind: "readDue", lane, after, limit: 4 });
        expect(rest).to.deep.equal(due.slice(index + 1, index + 5));
      }
      const keys = [due[3]?.key ?? 0, due[1]?.key ?? 0];
      const loaded = await store.read({ kind: "loadDue", keys });
      expect(loaded).to.deep.equal([due[3], due[1]]);
    });
  });
}
