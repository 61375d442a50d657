import { randomBytes } from "node:crypto";
import { join } from "node:path";
import Sqlite from "better-sqlite3";
import { expect } from "chai";
import { REPORTS_CONTEXT } from "#libs/sealing/contexts.js";
import { KeyRing, NO_KEYS, type RingKeys } from "#libs/sealing/key-ring.js";
import { isSealed } from "#libs/sealing/sealed-form.js";
import { SqliteStore } from "#task-service/store/sqlite/sqlite-store.js";
import {
  failed,
  LIST_ALL,
  progress,
  reportBatch,
  sampleTask,
  started,
  succeeded,
} from "#test/conformance/task-store/sample-task.js";
import { filterOf } from "#test/support/filter-of.js";
import { freshDirectory } from "#test/support/fresh-directory.js";
import { rejectionOf } from "#test/support/rejection-of.js";

const KEYS: RingKeys = { current: randomBytes(32), old: [] };
const ring = new KeyRing(KEYS);
const stranger = new KeyRing({ current: randomBytes(32), old: [] });
const LANE = { queue: "default", type: "test.sample" };
const BROKEN = { code: "DATA_LOSS", reason: "SEAL_BROKEN" };

describe("A SQLite database with an encryption key", () => {
  const directory = freshDirectory();
  const path = join(directory.path, "taskwire.db");
  let store: SqliteStore;

  before(async () => {
    store = new SqliteStore({ path, queueCapacity: 1000, keys: KEYS });
    await store.start();
  });
  after(async () => {
    await store.stop();
    directory.remove();
  });

  async function create(payloadJson: string, more: Parameters<typeof sampleTask>[0] = {}): Promise<string> {
    const task = sampleTask({ payloadJson, ...more });
    await store.write({ kind: "create", tasks: [task] });
    return task.id;
  }

  const report = (...batches: Uint8Array[]) => store.write({ kind: "applyReports", batches });
  const due = () => store.read({ kind: "readDue", lane: LANE, after: null, limit: 100 });

  /** Does something to the file behind the store's back. */
  function withFile<T>(job: (database: Sqlite.Database) => T): T {
    const database = new Sqlite(path);
    try {
      return job(database);
    } finally {
      database.close();
    }
  }

  it("holds payload, result, and the events that carry results, outputs and log lines sealed, the others plain", async () => {
    const id = await create('{"card":"4111"}');
    const said = [
      started,
      progress(1),
      { $case: "log", value: { level: 2, message: "line", fieldsJson: "", capped: false } } as const,
      { $case: "output", value: { name: "output", text: "text", offset: 0, capped: false } } as const,
      succeeded('{"sum":3}'),
    ];
    await report(ring.seal(reportBatch(id, said), REPORTS_CONTEXT));
    const { row, bodies } = withFile((database) => ({
      row: database
        .prepare<[string], { key: number; payload: string; result: string }>("select * from tasks where id = ?")
        .get(id),
      bodies: database
        .prepare<[string], { body: Buffer }>(
          "select body from task_events where task_key = (select key from tasks where id = ?) order by sequence",
        )
        .all(id),
    }));
    expect(row?.payload).to.match(/^sealed:/);
    expect(row?.result).to.match(/^sealed:/);
    expect(bodies.map(({ body }) => isSealed(body))).to.deep.equal([false, false, false, true, true, true]);
    const task = await store.read({ kind: "getTask", id, isFull: true });
    expect(task).to.include({ payloadJson: '{"card":"4111"}', resultJson: '{"sum":3}' });
    const list = { ...LIST_ALL, filter: filterOf(`id = ${id}`), isFull: true };
    const [listed] = (await store.read({ kind: "listTasks", list })).tasks;
    expect(listed).to.include({ payloadJson: '{"card":"4111"}', resultJson: '{"sum":3}' });
  });

  it("holds the hash of a request in a form that cannot be guessed without the key", async () => {
    const asked = { requestId: "hashed", requestHash: "hash-of-request" };
    const id = await create("{}", asked);
    const stored = withFile((database) =>
      database.prepare<[string], { request_hash: string }>("select request_hash from tasks where id = ?").get(id),
    );
    expect(stored?.request_hash).not.to.contain(asked.requestHash);
    const again = await store.write({ kind: "create", tasks: [sampleTask(asked)] });
    expect(again.kind === "created" && again.existing[0]?.id).to.equal(id);
    const other = sampleTask({ ...asked, requestHash: "another" });
    expect(await store.write({ kind: "create", tasks: [other] })).to.deep.equal({ kind: "requestIdReused", index: 0 });
  });

  it("tells batches whose key is missing from those that nobody can read, and applies the others", async () => {
    const [first, second] = [await create("{}"), await create("{}")];
    const broken = ring.seal(reportBatch(first, [started]), REPORTS_CONTEXT).slice();
    broken[30] = (broken[30] ?? 0) ^ 1;
    const result = await report(
      stranger.seal(reportBatch(first, [started]), REPORTS_CONTEXT),
      broken,
      ring.seal(reportBatch(first, [started]), "dispatch"),
      reportBatch(second, [started]),
      ring.seal(reportBatch(second, [failed(undefined, false)], { firstNumber: 2 }), REPORTS_CONTEXT),
    );
    expect(result).to.deep.equal({ stale: [], undecodable: 2, locked: [[0, stranger.currentId]], damaged: 0 });
    expect(await store.read({ kind: "getTask", id: first, isFull: false })).to.include({ attempt: 0 });
    expect((await store.read({ kind: "getTask", id: second, isFull: false }))?.error?.code).to.equal("HANDLER_ERROR");
  });

  it("refuses a payload that was moved to another task, and lets dispatch pass by it", async () => {
    const [from, to, next] = [
      await create('{"of":"from"}'),
      await create('{"of":"to"}'),
      await create('{"of":"next"}'),
    ];
    withFile((database) =>
      database
        .prepare("update tasks set payload = (select payload from tasks where id = ?) where id = ?")
        .run(from, to),
    );
    expect(await rejectionOf(store.read({ kind: "getTask", id: to, isFull: true }))).to.include(BROKEN);
    expect(await store.read({ kind: "getTask", id: to, isFull: false })).to.include({ id: to });
    const tasks = new Map((await due()).map((task) => [task.id, task]));
    expect(tasks.get(from)).to.include({ payloadJson: '{"of":"from"}' }).and.not.to.have.property("lockedBy");
    expect(tasks.get(to)).to.include({ payloadJson: "", lockedBy: "" });
    expect(tasks.get(next)).to.include({ payloadJson: '{"of":"next"}' });
  });

  it("says which key is missing when it is opened without, and takes writes all the same", async () => {
    const id = await create("{}", { requestId: "needs-key", requestHash: "hash" });
    await store.stop();
    store = new SqliteStore({ path, queueCapacity: 1000, keys: NO_KEYS });
    await store.start();
    const missing = { code: "FAILED_PRECONDITION", reason: "KEY_MISSING", metadata: { key_id: ring.currentId } };
    expect(await rejectionOf(store.read({ kind: "getTask", id, isFull: true }))).to.deep.include(missing);
    const repeated = sampleTask({ requestId: "needs-key", requestHash: "hash" });
    const fresh = sampleTask();
    // Both travel in one group: the one that is refused takes nothing along.
    const [refusal] = await Promise.all([
      rejectionOf(store.write({ kind: "create", tasks: [repeated] })),
      store.write({ kind: "create", tasks: [fresh] }),
    ]);
    expect(refusal).to.deep.include(missing);
    expect((await due()).find((task) => task.id === id)?.lockedBy).to.equal(ring.currentId);
    expect(await store.read({ kind: "getTask", id: fresh.id, isFull: true })).to.include({ payloadJson: "{}" });
  });
});
