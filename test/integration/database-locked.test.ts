import Sqlite, { type Database } from "better-sqlite3";
import { describeWithFaults } from "#test/faults/describe-with-faults.js";
import type { FaultyStack } from "#test/faults/faulty-stack.js";
import { refusedWritesSuite } from "#test/faults/refused-writes-suite.js";

describeWithFaults("When another program holds the database locked", function () {
  this.timeout(120_000);
  const others = new Map<FaultyStack, Database>();
  const release = (test: FaultyStack) => {
    // Closing rolls back.
    others.get(test)?.close();
    others.delete(test);
  };
  after(() => {
    for (const test of [...others.keys()]) release(test);
  });

  refusedWritesSuite({
    reason: "DATABASE_LOCKED",
    advice: /another program/,
    isSlow: true,
    begin: (test) => {
      const other = new Sqlite(test.database);
      others.set(test, other);
      other.exec("BEGIN IMMEDIATE");
    },
    end: release,
  });
});
