import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import Sqlite from "better-sqlite3";
import { expect } from "chai";
import { NO_KEYS, type RingKeys } from "#libs/sealing/key-ring.js";
import { openForWriting } from "#task-service/store/sqlite/open-database.js";
import { SqliteStore } from "#task-service/store/sqlite/sqlite-store.js";
import { attemptsSuite } from "#test/conformance/task-store/attempts-suite.js";
import { capacitySuite } from "#test/conformance/task-store/capacity-suite.js";
import { durabilitySuite } from "#test/conformance/task-store/durability-suite.js";
import { listingSuite } from "#test/conformance/task-store/listing-suite.js";
import { logSuite } from "#test/conformance/task-store/log-suite.js";
import { modelSuite } from "#test/conformance/task-store/model-suite.js";
import type { StoreFactory } from "#test/conformance/task-store/store-factory.js";
import { situationSuite } from "#test/conformance/task-store/situation-suite.js";
import { upkeepSuite } from "#test/conformance/task-store/upkeep-suite.js";
import { webhookSuite } from "#test/conformance/task-store/webhook-suite.js";
import { writingSuite } from "#test/conformance/task-store/writing-suite.js";
import { freshDirectory } from "#test/support/fresh-directory.js";
import { rejectionOf } from "#test/support/rejection-of.js";

function sqlite(name: string, keys: RingKeys): StoreFactory {
  return {
    name,
    createPlace({ queueCapacity = 1_000_000, webhookQueue = "" } = {}) {
      const directory = freshDirectory();
      const address = join(directory.path, "taskwire.db");
      return {
        address,
        open: () => new SqliteStore({ path: address, queueCapacity, webhookQueue, keys }),
        remove: () => directory.remove(),
      };
    },
  };
}

for (const suite of [
  writingSuite,
  listingSuite,
  upkeepSuite,
  durabilitySuite,
  capacitySuite,
  attemptsSuite,
  situationSuite,
  logSuite,
  webhookSuite,
  modelSuite,
]) {
  suite(sqlite("SqliteStore", NO_KEYS));
  suite(sqlite("SqliteStore, encrypted", { current: randomBytes(32), old: [] }));
}

describe("SqliteStore: its file", () => {
  const directory = freshDirectory();
  const path = join(directory.path, "deep", "taskwire.db");

  after(() => {
    directory.remove();
  });

  it("is made with its folder, and written through a WAL that is on disk when a commit returns", async () => {
    const store = new SqliteStore({ path: path, queueCapacity: 1_000_000 });
    await store.start();
    await store.stop();
    // The connection of the writer's thread is opened by this very function.
    const database = openForWriting(path);
    try {
      expect(database.pragma("synchronous", { simple: true })).to.equal(2);
      expect(database.pragma("journal_mode", { simple: true })).to.equal("wal");
      expect(database.pragma("foreign_keys", { simple: true })).to.equal(1);
    } finally {
      database.close();
    }
  });

  it("is refused when newer code has written it, and left as it was", async () => {
    const newer = new Sqlite(path);
    newer.exec("insert into migrations (name, time) values ('9999-from-the-future', 0)");
    newer.close();
    const error = await rejectionOf(new SqliteStore({ path: path, queueCapacity: 1_000_000 }).start());
    expect(error.message).to.contain("newer Taskwire").and.to.contain("9999-from-the-future");
    const after = new Sqlite(path);
    after.exec("delete from migrations where name = '9999-from-the-future'");
    after.close();
    const store = new SqliteStore({ path: path, queueCapacity: 1_000_000 });
    await store.start();
    await store.stop();
  });

  it("is refused when it is no database", async () => {
    const text = join(directory.path, "notes.txt");
    writeFileSync(text, "not a database, but long enough to be read as one".repeat(20));
    const error = await rejectionOf(new SqliteStore({ path: text, queueCapacity: 1_000_000 }).start());
    expect(error.message).to.match(/not a database/);
  });
});
