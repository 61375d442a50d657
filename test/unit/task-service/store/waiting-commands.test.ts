import { join } from "node:path";
import Sqlite from "better-sqlite3";
import { expect } from "chai";
import { SqliteStore } from "#task-service/store/sqlite/sqlite-store.js";
import { sampleTask } from "#test/conformance/task-store/sample-task.js";
import { freshDirectory } from "#test/support/fresh-directory.js";
import { rejectionOf } from "#test/support/rejection-of.js";

/** As docs/operating.md says. */
const MOST_WAITING = 20_000;

describe("What waits for a SQLite database is bounded (Bounded)", function () {
  this.timeout(60_000);
  const directory = freshDirectory();
  const path = join(directory.path, "taskwire.db");
  const store = new SqliteStore({ path, queueCapacity: 1_000_000 });

  before(() => store.start());
  after(async () => {
    await store.stop();
    directory.remove();
  });

  const nextTurn = () => new Promise<void>((resolve) => setImmediate(resolve));

  it("takes 20,000 changes beside those under way, refuses the one above them, and commits all others", async () => {
    const other = new Sqlite(path);
    other.exec("BEGIN IMMEDIATE");
    const write = () => store.write({ kind: "create", tasks: [sampleTask()] });
    const underWay = write();
    // It leaves at the end of this turn, and waits for the other connection then.
    await nextTurn();
    await nextTurn();
    const taken = Array.from({ length: MOST_WAITING }, write);
    const refused = rejectionOf(write());
    other.exec("ROLLBACK");
    other.close();
    expect(await refused).to.include({ code: "RESOURCE_EXHAUSTED", reason: "WRITE_QUEUE_FULL", retryAfterMs: 1000 });
    const keys = (await Promise.all([underWay, ...taken])).map((result) =>
      result.kind === "created" ? result.firstKey : result.kind,
    );
    expect(new Set(keys).size).to.equal(MOST_WAITING + 1);
    expect(await write()).to.include({ kind: "created", firstKey: MOST_WAITING + 2 });
  });

  it("takes 20,000 reads beside those under way, refuses the one above them, and answers all others", async () => {
    const task = sampleTask();
    await store.write({ kind: "create", tasks: [task] });
    const read = () => store.read({ kind: "getTask", id: task.id, isFull: false });
    const underWay = read();
    const taken = Array.from({ length: MOST_WAITING }, read);
    const refused = rejectionOf(read());
    expect(await refused).to.include({ code: "RESOURCE_EXHAUSTED", reason: "READ_QUEUE_FULL", retryAfterMs: 1000 });
    const ids = (await Promise.all([underWay, ...taken])).map((found) => found?.id);
    expect(new Set(ids)).to.deep.equal(new Set([task.id]));
    expect((await read())?.id).to.equal(task.id);
  });
});
