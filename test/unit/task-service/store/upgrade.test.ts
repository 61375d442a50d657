import { join } from "node:path";
import Sqlite from "better-sqlite3";
import { expect } from "chai";
import { AttemptOutcome } from "#libs/tasks/task-facts.js";
import { TaskState } from "#libs/tasks/task-state.js";
import { createTasks } from "#task-service/store/migrations/0001-create-tasks.js";
import { createQueryBuilder } from "#task-service/store/query-builder.js";
import { SqliteStore } from "#task-service/store/sqlite/sqlite-store.js";
import { freshDirectory } from "#test/support/fresh-directory.js";

const FAILED_ID = "0192a000-0000-7000-8000-000000000001";
const RUNNING_ID = "0192a000-0000-7000-8000-000000000002";
const COMMON = {
  type: "test.sample",
  queue: "default",
  waiting: 0,
  priority: 0,
  payload: "{}",
  labels: "{}",
  description: "",
  uncounted_attempts: 0,
  max_attempts: 3,
  multiplier: 0,
  report_number: 1,
  worker_id: "worker-1",
  create_time: 1000,
  update_time: 3000,
  start_time: 2000,
  run_time: 1000,
  cancel_reason: "",
  soft_timeout: 0,
  hard_timeout: 0,
  memory_bytes: 0,
  sequence: 3,
};

/** A database as the first release left it: one task FAILED at its second attempt, one RUNNING its first. */
function writeFirstRelease(path: string, log: { readonly revisions: readonly number[]; readonly last: number }): void {
  const database = new Sqlite(path);
  const db = createQueryBuilder();
  database.exec("create table migrations (name text primary key, time integer not null) strict");
  for (const statement of createTasks(db)) database.exec(statement.compile().sql);
  database.exec("insert into migrations (name, time) values ('0001-create-tasks', 0)");
  const insert = (row: Readonly<Record<string, number | string | null>>) => {
    const names = Object.keys(row);
    database
      .prepare(`insert into tasks (${names.join()}) values (${names.map(() => "?").join()})`)
      .run(...Object.values(row));
  };
  const error = JSON.stringify({ code: "HANDLER_ERROR", message: "broken", retryable: true, detailsJson: "" });
  insert({ ...COMMON, key: 1, id: FAILED_ID, state: TaskState.FAILED, attempt: 2, end_time: 3000, error });
  insert({ ...COMMON, key: 2, id: RUNNING_ID, state: TaskState.RUNNING, attempt: 1 });
  const event = database.prepare("insert into task_events (revision, task_key, sequence, body) values (?, 2, ?, x'')");
  for (const [index, revision] of log.revisions.entries()) event.run(revision, index + 1);
  database.prepare("update counters set last_revision = ?").run(log.last);
  database.close();
}

describe("A database of the first release", () => {
  it("is brought up to this one with its tasks, which can be read, retried and listed by their attempts", async () => {
    const directory = freshDirectory();
    const path = join(directory.path, "taskwire.db");
    writeFirstRelease(path, { revisions: [], last: 0 });
    const store = new SqliteStore({ path, queueCapacity: 2 });
    try {
      await store.start();
      expect(await store.read({ kind: "getTask", id: FAILED_ID, isFull: true })).to.deep.include({
        state: TaskState.FAILED,
        warnings: [],
        workerLosses: 0,
        deadlineMs: null,
        retryCodes: null,
      });
      const attemptsOf = (id: string) => store.read({ kind: "listAttempts", id, afterNumber: 0, limit: 10 });
      const before = await attemptsOf(FAILED_ID);
      expect(before).to.have.lengthOf(1);
      expect(before?.[0]).to.include({
        number: 2,
        outcome: AttemptOutcome.FAILED,
        workerId: "worker-1",
        endTimeMs: 3000,
      });
      expect((await attemptsOf(RUNNING_ID))?.[0]).to.include({ number: 1, outcome: AttemptOutcome.RUNNING });
      const { verdict } = await store.write({ kind: "reopen", id: FAILED_ID, sequence: 3 });
      expect(verdict).to.equal("reopened");
      expect(await attemptsOf(FAILED_ID)).to.deep.equal(before);
    } finally {
      await store.stop();
      directory.remove();
    }
  });

  for (const { revisions, last, compacted } of [
    { revisions: [], last: 0, compacted: 0 },
    { revisions: [1, 2, 3], last: 0, compacted: 0 },
    { revisions: [1, 2, 50, 51, 52], last: 52, compacted: 49 },
    { revisions: [7, 8, 10], last: 8, compacted: 9 },
    { revisions: [1, 2, 3], last: 9, compacted: 9 },
    { revisions: [], last: 9, compacted: 9 },
  ])
    it(`knows up to where events may be missing when it has ${revisions.join() || "none"} of ${last} (Honest)`, async () => {
      const directory = freshDirectory();
      const path = join(directory.path, "taskwire.db");
      writeFirstRelease(path, { revisions, last });
      const store = new SqliteStore({ path, queueCapacity: 2 });
      try {
        await store.start();
        const query = {
          selection: { filter: null, classes: 1 },
          afterRevision: compacted,
          upToRevision: 0,
          upToId: null,
        };
        expect((await store.read({ kind: "readLog", ...query })).compactedRevision).to.equal(compacted);
      } finally {
        await store.stop();
        directory.remove();
      }
    });
});
