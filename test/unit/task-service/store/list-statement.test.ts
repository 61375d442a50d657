import Sqlite, { type Database } from "better-sqlite3";
import { expect } from "chai";
import { listStatement } from "#task-service/store/sqlite/list-statement.js";
import { runMigrations } from "#task-service/store/sqlite/run-migrations.js";
import { LIST_ALL } from "#test/conformance/task-store/sample-task.js";
import { filterOf } from "#test/support/filter-of.js";

const ID = "0199aaaa-0000-7000-8000-000000000001";

describe("The SQL of a list", () => {
  let database: Database;

  before(() => {
    database = new Sqlite(":memory:");
    runMigrations(database, 0);
  });
  after(() => {
    database.close();
  });

  const compiled = (filter: string) => listStatement({ ...LIST_ALL, filter: filterOf(filter) });

  /** How SQLite gets at the tasks of a filter. */
  function planOf(filter: string): string {
    const { sql, parameters } = compiled(filter);
    const rows = database.prepare<unknown[], { detail: string }>(`explain query plan ${sql}`).all(...parameters);
    return rows.map(({ detail }) => detail).join("; ");
  }

  it("finds tasks by the indexes of their states where a filter leaves only active or only unsuccessful ones", () => {
    for (const filter of ["state = RUNNING", "state = PENDING queue = a type = b", "-(state != RUNNING OR labels:x)"]) {
      expect(planOf(filter), filter).to.include("USING INDEX tasks_active");
    }
    const failed = [
      "state = FAILED",
      "state = FAILED OR state = CANCELLED AND labels:x",
      "state = CANCELLED attempt > 1",
    ];
    for (const filter of failed) expect(planOf(filter), filter).to.include("USING INDEX tasks_unsuccessful");
    expect(planOf("state = FAILED OR labels:x")).to.match(/^SCAN/);
  });

  it("finds tasks by the index of ids where a filter names ids or a time of creation", () => {
    const search = "SEARCH tasks USING INDEX sqlite_autoindex_tasks_1";
    expect(planOf(`id = ${ID} OR id = ${ID}`)).to.include(`${search} (id=?)`);
    expect(planOf("create_time >= 2026-03-01T00:00:00Z type = a")).to.include(`${search} (id>?)`);
    const both = "create_time >= 2026-03-01T00:00:00Z AND create_time < 2026-03-02T00:00:00Z";
    expect(planOf(both)).to.include(`${search} (id>? AND id<?)`);
  });

  it("finds nothing where a filter leaves no state", () => {
    const { sql, parameters } = compiled("state = PENDING AND state = FAILED");
    expect(database.prepare(sql).all(...parameters)).to.deep.equal([]);
  });

  it("binds all that comes from the client", () => {
    const words = "' or 1=1 --";
    const { sql, parameters } = compiled(`labels."a.b/c" = "${words}" AND labels.k = "${words}*"`);
    expect(sql).to.not.include("or 1=1").and.to.not.include("a.b/c");
    expect(parameters).to.include.members([words, '$."a.b/c"']);
  });
});
