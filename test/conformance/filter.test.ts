import { join } from "node:path";
import type { Database } from "better-sqlite3";
import { expect } from "chai";
import fc from "fast-check";
import { KeyRing, NO_KEYS } from "#libs/sealing/key-ring.js";
import type { FilterExpression } from "#libs/tasks/filter/filter-expression.js";
import { filterPredicate, type FilterableTask } from "#libs/tasks/filter/filter-predicate.js";
import { filterText } from "#libs/tasks/filter/filter-text.js";
import { TaskState } from "#libs/tasks/task-state.js";
import { openForWriting } from "#task-service/store/sqlite/open-database.js";
import { runMigrations } from "#task-service/store/sqlite/run-migrations.js";
import { SqliteReader } from "#task-service/store/sqlite/sqlite-reader.js";
import { LIST_ALL } from "#test/conformance/task-store/sample-task.js";
import { filterOf } from "#test/support/filter-of.js";
import { freshDirectory } from "#test/support/fresh-directory.js";
import { filterExpression } from "#test/unit/libs/tasks/filter/random-filters.js";
import { filterableTask } from "#test/unit/libs/tasks/filter/random-tasks.js";

const INSERT = `
  insert into tasks (id, type, queue, state, priority, labels, attempt, create_time, update_time, run_time, start_time, end_time,
    cancel_request_time, worker_id, waiting, payload, description, uncounted_attempts, max_attempts, multiplier, report_number,
    cancel_reason, soft_timeout, hard_timeout, memory_bytes, sequence)
  values (@id, @type, @queue, @state, @priority, @labels, @attempt, @createTimeMs, @updateTimeMs, @runTimeMs, @startTimeMs, @endTimeMs,
    @cancelRequestTimeMs, @workerId, 0, '{}', '', 0, 0, 0, 0, '', 0, 0, 0, 1)`;

describe("A filter as SQL and as a predicate", () => {
  const directory = freshDirectory();
  let database: Database;
  let reader: SqliteReader;

  before(() => {
    const path = join(directory.path, "taskwire.db");
    database = openForWriting(path);
    // Nothing here is about what survives.
    database.pragma("synchronous = OFF");
    runMigrations(database, 0);
    reader = new SqliteReader(path, new KeyRing(NO_KEYS));
  });

  after(() => {
    reader.close();
    database.close();
    directory.remove();
  });

  function fill(tasks: readonly FilterableTask[]): void {
    const insert = database.prepare(INSERT);
    database.transaction(() => {
      database.exec("delete from tasks");
      for (const task of tasks) {
        const workerId = task.state === TaskState.RUNNING ? "worker-1" : null;
        insert.run({ ...task, labels: JSON.stringify(task.labels), workerId });
      }
    })();
  }

  const listed = (filter: FilterExpression | null) =>
    reader.answer({ kind: "listTasks", list: { ...LIST_ALL, filter } }).tasks;

  it("says the same of every task, also after it was printed and parsed again", () => {
    const told = { filters: 0, tellingApart: 0 };
    const tasks = fc.uniqueArray(filterableTask, {
      selector: ({ id }) => id,
      minLength: 8,
      maxLength: 21,
      size: "max",
    });
    const filters = fc.array(filterExpression, { minLength: 20, maxLength: 20 });
    fc.assert(
      fc.property(tasks, filters, (population, expressions) => {
        fill(population);
        const all = listed(null);
        expect(all).to.have.lengthOf(population.length);
        for (const expression of expressions) {
          const text = filterText(expression);
          const parsed = filterOf(text);
          expect(parsed, text).to.deep.equal(expression);
          const meant = population.filter(filterPredicate(expression)).map(({ id }) => id);
          expect(
            listed(parsed).map(({ id }) => id),
            text,
          ).to.deep.equal(meant.sort());
          expect(
            all.filter(filterPredicate(parsed)).map(({ id }) => id),
            text,
          ).to.deep.equal(meant);
          told.filters += 1;
          if (meant.length > 0 && meant.length < population.length) told.tellingApart += 1;
        }
      }),
      { numRuns: 80 },
    );
    expect(told.tellingApart / told.filters, "filters that tell tasks apart").to.be.greaterThan(0.5);
  });
});
