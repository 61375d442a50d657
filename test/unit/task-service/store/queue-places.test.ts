import { join } from "node:path";
import Sqlite from "better-sqlite3";
import { expect } from "chai";
import { queuePlaceSql } from "#task-service/store/sqlite/queue-places.js";
import { SqliteStore } from "#task-service/store/sqlite/sqlite-store.js";
import { freshDirectory } from "#test/support/fresh-directory.js";

describe("QueuePlaces", () => {
  it("reads the index of active tasks and nothing else", async () => {
    const directory = freshDirectory();
    const path = join(directory.path, "taskwire.db");
    const store = new SqliteStore({ path, queueCapacity: 10 });
    await store.start();
    await store.stop();
    const database = new Sqlite(path, { readonly: true });
    try {
      for (const text of queuePlaceSql) {
        const values = Array.from(text.matchAll(/\?/g), () => 1);
        const plan = database.prepare<number[], { detail: string }>(`explain query plan ${text}`).all(...values);
        const ofTasks = plan.map(({ detail }) => detail).filter((detail) => /\btasks\b/.test(detail));
        expect(ofTasks, text).to.have.length.above(0);
        for (const detail of ofTasks) expect(detail).to.match(/^SEARCH tasks USING COVERING INDEX tasks_active /);
        expect(plan.map(({ detail }) => detail).join()).to.not.include("TEMP B-TREE");
      }
    } finally {
      database.close();
      directory.remove();
    }
  });
});
