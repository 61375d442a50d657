import Sqlite, { type Database } from "better-sqlite3";
import { describeWithFaults } from "#test/faults/describe-with-faults.js";
import { refusedWritesSuite } from "#test/faults/refused-writes-suite.js";

describeWithFaults("When another program holds the database locked", function () {
  this.timeout(120_000);
  let other: Database | undefined;
  after(() => other?.close());

  refusedWritesSuite({
    reason: "DATABASE_LOCKED",
    advice: /another program/,
    begin: ({ database }) => {
      other = new Sqlite(database);
      other.exec("BEGIN IMMEDIATE");
    },
    end: () => other?.exec("ROLLBACK"),
  });
});
