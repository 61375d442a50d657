import { join } from "node:path";
import { expect } from "chai";
import { TaskState } from "#libs/tasks/task-state.js";
import { SqliteWriter } from "#task-service/store/sqlite/sqlite-writer.js";
import type { NewTask } from "#task-service/store/task-record.js";
import type { WriteCommand, WriteReply } from "#task-service/store/write-command.js";
import { reportBatch, sampleTask, started, succeeded } from "#test/conformance/task-store/sample-task.js";
import { damagePages, damageTree } from "#test/faults/damage-page.js";
import { freshDirectory } from "#test/support/fresh-directory.js";

/** So large that no two tasks share a page. */
const FILLER = "x".repeat(2500);
const MARKER = "a-task-on-a-damaged-page";
const CORRUPT = { ok: false, trouble: "DATABASE_CORRUPT" };
const HOUR_MS = 3_600_000;

describe("A SQLite writer on a database with damaged pages", () => {
  let directory: ReturnType<typeof freshDirectory>;
  let path: string;
  let writer: SqliteWriter;

  const open = () => {
    writer = new SqliteWriter({ path, queueCapacity: 10_000 });
  };
  const apply = (command: WriteCommand, nowMs = Date.now()) => writer.apply({ commands: [command], nowMs });
  const report = (...batches: Uint8Array[]) => apply({ kind: "applyReports", batches });
  const finish = (tasks: readonly NewTask[]) =>
    report(...tasks.map(({ id }) => reportBatch(id, [succeeded()], { firstNumber: 2 })));
  const changed = ({ commit }: WriteReply) => commit.changes.map(({ id }) => id).sort();
  const idsOf = (tasks: readonly NewTask[]) => tasks.map(({ id }) => id).sort();
  const applied = (damaged: number) => ({ ok: true, value: { stale: [], undecodable: 0, locked: [], damaged } });

  beforeEach(() => {
    directory = freshDirectory();
    path = join(directory.path, "taskwire.db");
    open();
  });
  afterEach(() => {
    writer.close();
    directory.remove();
  });

  /** Makes tasks and does `prepare` to them; afterwards all of it is in the file and nothing of it in memory. */
  function fill(count: number, marked: readonly number[], prepare: (tasks: readonly NewTask[]) => void, later = 0) {
    const tasks = Array.from({ length: count }, (_, index) => {
      const payloadJson = JSON.stringify({ FILLER, marker: marked.includes(index) ? MARKER : "" });
      const task = sampleTask({ payloadJson });
      return { ...task, runTimeMs: task.runTimeMs + later };
    });
    apply({ kind: "create", tasks });
    prepare(tasks);
    writer.close();
    open();
    const isMarked = (_: NewTask, index: number) => marked.includes(index);
    const healthy = tasks.filter((task, index) => !isMarked(task, index));
    return { tasks, hit: tasks.filter(isMarked), healthy };
  }

  const start = (tasks: readonly NewTask[]) => void report(...tasks.map(({ id }) => reportBatch(id, [started])));

  it("keeps everybody's reports when a page that all of them need is damaged, few or many", () => {
    const { tasks } = fill(9, [], start);
    const { repair } = damageTree(path, "tasks_update_time");
    for (const part of [tasks, tasks.slice(0, 2), tasks.slice(0, 1)]) {
      const reply = finish(part);
      expect(reply.results[0]).to.include(CORRUPT);
      expect(reply.commit.events).to.deep.equal([]);
    }
    const undecodable = report(Uint8Array.of(255), reportBatch(tasks[0]?.id ?? "", [succeeded()], { firstNumber: 2 }));
    expect(undecodable.results[0]).to.include(CORRUPT);
    repair();
    const reply = finish(tasks);
    expect(reply.results[0]).to.deep.equal(applied(0));
    expect(changed(reply)).to.deep.equal(idsOf(tasks));
  });

  it("leaves out the reports of tasks on a damaged page, also when they come alone, and those of nobody else", () => {
    const { tasks, hit, healthy } = fill(9, [3, 4], start);
    damagePages(path, MARKER);
    expect(finish(hit.slice(0, 1)).results[0]).to.deep.equal(applied(1));
    expect(finish(hit).results[0]).to.deep.equal(applied(2));
    const reply = finish(tasks);
    expect(reply.results[0]).to.deep.equal(applied(2));
    expect(changed(reply)).to.deep.equal(idsOf(healthy));
  });

  it("leaves nothing behind of the life that it tries", () => {
    const { hit, healthy } = fill(3, [1], start);
    const { repair } = damagePages(path, MARKER);
    finish(hit);
    repair();
    const { commit } = finish(healthy);
    expect(commit.changes.map(({ queue }) => queue)).to.deep.equal(["default", "default"]);
    expect(commit.events.map(({ revision }) => revision)).to.deep.equal([7, 8]);
  });

  it("makes all tasks due but those on a damaged page, and does not ask to be called again at once", () => {
    const { hit, healthy } = fill(9, [0, 5], () => undefined, HOUR_MS);
    const nowMs = Date.now() + 2 * HOUR_MS;
    const { repair } = damagePages(path, MARKER);
    const makeDue = () => apply({ kind: "makeDue", limit: 100 }, nowMs);
    const reply = makeDue();
    expect(reply.results[0]).to.deep.equal({ ok: true, value: { count: healthy.length, nextRunTimeMs: null } });
    expect(changed(reply)).to.deep.equal(idsOf(healthy));
    expect(makeDue().results[0]).to.deep.equal({ ok: true, value: { count: 0, nextRunTimeMs: null } });
    repair();
    expect(changed(makeDue())).to.deep.equal(idsOf(hit));
  });

  it("deletes all finished tasks but those on a damaged page and beside it, where emptied pages are joined", () => {
    const { tasks } = fill(20, [10], (all) => {
      start(all);
      finish(all);
    });
    const { repair } = damagePages(path, MARKER);
    const clear = () => {
      const [result] = apply({ kind: "deleteFinished", beforeMs: Date.now() + HOUR_MS, limit: 100 }).results;
      return result?.ok === true ? (result.value as { readonly count: number }).count : -1;
    };
    const count = clear();
    expect(count).to.be.within(tasks.length - 6, tasks.length - 1);
    expect(clear()).to.equal(0);
    repair();
    expect(clear()).to.equal(tasks.length - count);
  });

  it("ends all old cancels but those of tasks on a damaged page", () => {
    const { hit, healthy } = fill(9, [0, 5], (tasks) => {
      for (const { id } of tasks) apply({ kind: "requestCancel", id, reason: "", withWorker: "any" });
    });
    const { repair } = damagePages(path, MARKER);
    const old = { kind: "endOldCancels", beforeMs: Date.now() + HOUR_MS, limit: 100 } as const;
    const end = () => apply({ ...old, spared: [], areUntaken: false });
    const reply = end();
    expect(reply.results[0]).to.deep.equal({ ok: true, value: { count: healthy.length } });
    expect(new Set(reply.commit.changes.map(({ state }) => state))).to.deep.equal(new Set([TaskState.CANCELLED]));
    repair();
    expect(changed(end())).to.deep.equal(idsOf(hit));
  });

  it("chooses no unfinished task for deletion", () => {
    const pick = (tasks: readonly NewTask[], ...indexes: number[]) =>
      tasks.filter((_, index) => indexes.includes(index));
    const { tasks } = fill(7, [0], (all) => {
      start(pick(all, 0, 1, 3, 5));
      finish(pick(all, 0, 3));
    });
    damagePages(path, MARKER);
    const reply = apply({ kind: "deleteFinished", beforeMs: Date.now() + HOUR_MS, limit: 100 });
    expect(reply.results[0]).to.deep.equal({ ok: true, value: { count: 1 } });
    const running = pick(tasks, 1, 5);
    expect(changed(finish(running))).to.deep.equal(idsOf(running));
  });
});
