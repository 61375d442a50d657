import { randomBytes } from "node:crypto";
import { copyFileSync } from "node:fs";
import { join } from "node:path";
import Sqlite, { type Database } from "better-sqlite3";
import { expect } from "chai";
import { TaskEvent } from "#libs/proto/gen/taskwire/v1/task_event.js";
import { NO_KEYS, type RingKeys } from "#libs/sealing/key-ring.js";
import { SqliteStore } from "#task-service/store/sqlite/sqlite-store.js";
import { verifyDatabase, type Finding, type VerifyTotals } from "#task-service/verify.js";
import {
  failed,
  progress,
  reportBatch,
  sampleTask,
  started,
  succeeded,
  WORKER,
} from "#test/conformance/task-store/sample-task.js";
import { freshDirectory } from "#test/support/fresh-directory.js";

/** Some tasks that have been through much, by what became of them. */
const tasks = {
  retried: sampleTask({ maxAttempts: 3 }),
  reopened: sampleTask({ maxAttempts: 1 }),
  lost: sampleTask({ maxAttempts: 3 }),
  cancelled: sampleTask(),
  waiting: sampleTask(),
};

async function fillDatabase(path: string, keys: RingKeys): Promise<void> {
  const store = new SqliteStore({ path, queueCapacity: 1000, keys });
  await store.start();
  const report = (...batches: Uint8Array[]) => store.write({ kind: "applyReports", batches });
  await store.write({ kind: "create", tasks: Object.values(tasks) });
  const { retried, reopened, lost, cancelled } = tasks;
  await report(reportBatch(retried.id, [started, progress(1), failed(0)]));
  await report(reportBatch(retried.id, [started, progress(2), succeeded('{"answer":42}')], { attempt: 2 }));
  await report(reportBatch(reopened.id, [started, failed()]));
  await store.write({ kind: "reopen", id: reopened.id, sequence: null });
  await report(reportBatch(reopened.id, [started], { attempt: 2 }));
  await report(reportBatch(lost.id, [started]));
  const leases = [{ id: lost.id, attempt: 1, workerId: WORKER }];
  await store.write({ kind: "expireLeases", leases, poisonLosses: 3 });
  await report(reportBatch(lost.id, [succeeded()], { firstNumber: 2 }));
  await store.write({ kind: "requestCancel", id: cancelled.id, reason: "enough", withWorker: null });
  await store.stop();
}

describe("taskwire verify", () => {
  const directory = freshDirectory();
  const sound = join(directory.path, "sound.db");
  let copies = 0;

  before(() => fillDatabase(sound, NO_KEYS));
  after(() => {
    directory.remove();
  });

  function verify(path: string, keys: RingKeys = NO_KEYS): { totals: VerifyTotals; findings: Finding[] } {
    const findings: Finding[] = [];
    const totals = verifyDatabase(path, { isQuick: false, keys, onFinding: (finding) => findings.push(finding) });
    return { totals, findings };
  }

  /** What is found after somebody has edited the file, as `kind what`. */
  function foundAfter(edit: (database: Database, keyOf: (id: string) => number) => void): string[] {
    const path = join(directory.path, `copy-${++copies}.db`);
    copyFileSync(sound, path);
    const database = new Sqlite(path);
    database.pragma("ignore_check_constraints = ON");
    edit(database, (id) => Number(database.prepare("select key from tasks where id = ?").pluck().get(id)));
    database.close();
    return verify(path).findings.map(({ kind, what }) => `${kind} ${what}`);
  }

  const setTask = (column: string, value: string | number | null, id: string) =>
    foundAfter((database) => database.prepare(`update tasks set ${column} = ? where id = ?`).run(value, id));

  /** Writes an event back changed. */
  const editEvent = (id: string, sequence: number, edit: (event: TaskEvent) => void) =>
    foundAfter((database, keyOf) => {
      const at = [keyOf(id), sequence];
      const select = database.prepare("select body from task_events where task_key = ? and sequence = ?").pluck();
      const event = TaskEvent.decode(select.get(...at) as Uint8Array);
      edit(event);
      const body = TaskEvent.encode(event).finish();
      database.prepare("update task_events set body = ? where task_key = ? and sequence = ?").run(body, ...at);
    });

  it("finds nothing in a sound database", () => {
    const { totals, findings } = verify(sound);
    expect(findings).to.deep.equal([]);
    expect(totals).to.deep.equal({ tasks: 5, events: 20, attempts: 3, sealedEvents: 0, findings: 0 });
  });

  it("names a column of a task that is not what its events add up to", () => {
    const { retried, cancelled, waiting, reopened } = tasks;
    expect(setTask("worker_id", "somebody", retried.id)).to.include("task-differs worker");
    expect(setTask("uncounted_attempts", 1, retried.id)).to.deep.equal(["task-differs uncounted_attempts"]);
    expect(setTask("result", '{"answer":41}', retried.id)).to.deep.equal(["task-differs result"]);
    expect(setTask("result", null, retried.id)).to.deep.equal(["task-differs result"]);
    expect(setTask("run_time", 1, waiting.id)).to.deep.equal(["task-differs run_time"]);
    expect(setTask("cancel_reason", "other", cancelled.id)).to.deep.equal(["task-differs cancel_reason"]);
    expect(setTask("max_attempts", 7, reopened.id)).to.deep.equal(["task-differs max_attempts"]);
    expect(setTask("worker_losses", 1, retried.id)).to.deep.equal(["task-differs worker_losses"]);
    expect(setTask("state", 4, retried.id)).to.include("task-differs state");
    expect(setTask("attempt", 3, retried.id)).to.include.members(["task-differs attempt", "attempt-missing attempt 2"]);
    expect(setTask("sequence", 99, retried.id)).to.deep.equal(["sequence sequence of the task"]);
    expect(setTask("labels", "{", retried.id)).to.deep.equal(["unreadable the task's row"]);
  });

  it("names a gap, an event that cannot be read and one that is in a wrong place", () => {
    const { retried, cancelled } = tasks;
    const gap = foundAfter((database, keyOf) =>
      database.prepare("delete from task_events where task_key = ? and sequence = 3").run(keyOf(retried.id)),
    );
    expect(gap).to.deep.equal(["gap sequence of the next event"]);
    const end = foundAfter((database, keyOf) =>
      database.prepare("delete from task_events where task_key = ? and sequence = 3").run(keyOf(cancelled.id)),
    );
    expect(end).to.include("sequence sequence of the task").and.include("task-differs state");
    const broken = foundAfter((database, keyOf) =>
      database
        .prepare("update task_events set body = x'0aff' where task_key = ? and sequence = 2")
        .run(keyOf(cancelled.id)),
    );
    expect(broken).to.deep.equal(["unreadable event 2"]);
    const swapped = foundAfter((database, keyOf) => {
      const at = [keyOf(retried.id)];
      const revisions = database
        .prepare("select revision from task_events where task_key = ? and sequence in (3, 4) order by sequence")
        .pluck()
        .all(...at) as number[];
      database.prepare("update task_events set revision = -1 where revision = ?").run(revisions[0]);
      database.prepare("update task_events set revision = ? where revision = ?").run(revisions[0], revisions[1]);
      database.prepare("update task_events set revision = ? where revision = -1").run(revisions[1]);
    });
    expect(swapped).to.include.members([
      "revision revision of event 4",
      "misplaced-event revision within event 3",
      "misplaced-event revision within event 4",
    ]);
    expect(editEvent(retried.id, 2, (event) => (event.taskId = cancelled.id))).to.deep.equal([
      "misplaced-event task within event 2",
    ]);
  });

  it("names an illegal move, an illegal event and an event that says what cannot be", () => {
    const { retried, cancelled } = tasks;
    const restarted = editEvent(retried.id, 3, (event) => {
      event.kind = { $case: "started", value: { workerId: WORKER, maxAttempts: 3 } };
    });
    expect(restarted).to.include("illegal-move event 3, started");
    const early = editEvent(cancelled.id, 2, (event) => {
      event.kind = { $case: "softLimitReached", value: {} };
    });
    expect(early).to.include("illegal-event event 2, softLimitReached");
    expect(editEvent(retried.id, 2, (event) => (event.attempt = 5))).to.deep.equal([
      "event-differs event 2, attempt of started",
    ]);
    expect(editEvent(retried.id, 2, (event) => (event.state = 3))).to.deep.equal([
      "event-differs event 2, state of started",
    ]);
  });

  it("names attempts that are missing, different or too many", () => {
    const { retried, waiting } = tasks;
    const attempts = (change: string, id: string) =>
      foundAfter((database, keyOf) => database.prepare(change).run(keyOf(id)));
    expect(attempts("delete from task_attempts where task_key = ?", retried.id)).to.deep.equal([
      "attempt-missing attempt 1",
    ]);
    expect(attempts("update task_attempts set outcome = 6 where task_key = ?", retried.id)).to.deep.equal([
      "attempt-differs attempt 1",
    ]);
    expect(attempts("update task_attempts set end_time = 1 where task_key = ?", retried.id)).to.deep.equal([
      "attempt-differs attempt 1",
    ]);
    expect(attempts("update task_attempts set error = '{' where task_key = ?", retried.id)).to.deep.equal([
      "unreadable an attempt's row",
    ]);
    const surplus = "insert into task_attempts values (?, 1, 'w', 1, 2, 2, null)";
    expect(attempts(surplus, waiting.id)).to.deep.equal(["attempt-surplus attempt 1"]);
  });

  it("names events and attempts whose task is gone, and missing counters", () => {
    let key = 0;
    const orphans = foundAfter((database, keyOf) => {
      key = keyOf(tasks.retried.id);
      database.prepare("delete from tasks where key = ?").run(key);
    });
    expect(orphans).to.deep.equal([`orphan-events task key ${key}`, `orphan-attempts task key ${key}`]);
    expect(foundAfter((database) => database.exec("delete from counters"))).to.deep.equal([
      "counters rows of counters",
    ]);
  });

  it("asks for no attempts of tasks that are older than the table of attempts", () => {
    const findings = foundAfter((database) => {
      database.exec("update migrations set time = time + 1000000 where name = '0002-add-attempts'");
      database.exec("delete from task_attempts");
    });
    expect(findings).to.deep.equal([]);
  });

  it("names an index that does not fit its table", () => {
    const findings = foundAfter((database) => {
      database.unsafeMode(true);
      database.pragma("writable_schema = ON");
      database.exec(
        "update sqlite_master set sql = replace(sql, '\"update_time\"', '\"key\"') where name = 'tasks_update_time'",
      );
    });
    expect(findings[0]).to.equal("integrity database file");
  });

  it("opens what is sealed, and checks what it can where it has no key", async () => {
    const path = join(directory.path, "sealed.db");
    const keys = { current: randomBytes(32), old: [] };
    await fillDatabase(path, keys);
    expect(verify(path, { current: null, old: [keys.current] }).totals).to.include({ sealedEvents: 0, findings: 0 });
    expect(verify(path).totals).to.include({ sealedEvents: 1, findings: 0 });
    const database = new Sqlite(path);
    const [own, other] = [tasks.retried.id, tasks.waiting.id];
    database.exec(`update tasks set result = (select result from tasks where id = '${own}') where id = '${other}'`);
    database.exec(`update tasks set worker_id = 'somebody' where id = '${own}'`);
    database.close();
    const whatOf = ({ findings }: { findings: Finding[] }) => findings.map(({ kind, what }) => `${kind} ${what}`);
    expect(whatOf(verify(path, keys)))
      .to.include("unreadable result")
      .and.include("task-differs worker");
    expect(whatOf(verify(path))).to.include("task-differs worker");
  });

  it("verifies a database that a service is writing", async () => {
    const path = join(directory.path, "live.db");
    const store = new SqliteStore({ path, queueCapacity: 100_000, keys: NO_KEYS });
    await store.start();
    let isStopped = false;
    const writing = (async () => {
      while (!isStopped) {
        const more = Array.from({ length: 50 }, () => sampleTask());
        await store.write({ kind: "create", tasks: more });
        await store.write({
          kind: "applyReports",
          batches: more.map(({ id }) => reportBatch(id, [started, succeeded()])),
        });
      }
    })();
    try {
      for (let round = 0; round < 5; round += 1) {
        await store.write({ kind: "create", tasks: [sampleTask()] });
        expect(verify(path).findings).to.deep.equal([]);
      }
    } finally {
      isStopped = true;
      await writing;
      await store.stop();
    }
  });

  it("refuses a file that is not there or no database of Taskwire, and makes none", () => {
    const missing = join(directory.path, "missing.db");
    expect(() => verify(missing)).to.throw(/./);
    const other = join(directory.path, "other.db");
    new Sqlite(other).exec("create table things (id)").close();
    expect(() => verify(other)).to.throw("not a database of Taskwire");
  });
});
