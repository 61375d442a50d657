import type { Database, Statement } from "better-sqlite3";
import { sql, type Compilable } from "kysely";
import type { AttemptErrorFact } from "#libs/tasks/claim.js";
import { pendingMigrations } from "#task-service/store/migrate.js";
import { createQueryBuilder } from "#task-service/store/query-builder.js";
import { openForReading } from "#task-service/store/sqlite/open-database.js";
import { FULL_COLUMNS, recordOf, type TaskRow } from "#task-service/store/task-columns.js";
import type { AttemptRecord, TaskRecord } from "#task-service/store/task-record.js";
import type {
  OrphanRows,
  StoredEvent,
  StoredHistory,
  VerificationSource,
} from "#task-service/store/verification-source.js";

const db = createQueryBuilder();
const bound = <T extends number | string>() => sql<T>`?`;
const FIRST_MIGRATION = "0001-create-tasks";
const ATTEMPTS_MIGRATION = "0002-add-attempts";
const TASKS_PER_CHUNK = 200;
/** A chunk ends after the task with which its events pass this: an open read transaction keeps the write-ahead log from being reused. */
const EVENT_BYTES_PER_CHUNK = 4 * 1024 * 1024;
const KEYS_PER_ORPHAN_SEARCH = 20_000;
const ORPHANS_PER_SEARCH = 100;

type AttemptRow = Omit<AttemptRecord, "error"> & { readonly error: string | null };

/** Reads a SQLite file for verification. Synchronous; one row of tasks or events in memory at a time. */
export class VerificationReader implements VerificationSource {
  readonly attemptsSinceMs: number;
  readonly #database: Database;
  readonly #tasks: Statement<[number, number], TaskRow>;
  readonly #events: Statement<[number], StoredEvent>;
  readonly #attempts: Statement<[number], AttemptRow>;

  /** Opens an existing database. Throws when it is not one of Taskwire's, or another version's. */
  constructor(path: string) {
    this.#database = openForReading(path);
    try {
      this.attemptsSinceMs = this.#checkVersion();
      const prepare = <P extends unknown[], R>(query: Compilable) => this.#database.prepare<P, R>(query.compile().sql);
      const ofTask = sql<boolean>`task_key = ?`;
      this.#tasks = prepare(
        db
          .selectFrom("tasks")
          .select(FULL_COLUMNS)
          .where("key", ">", bound<number>())
          .orderBy("key")
          .limit(bound<number>()),
      );
      this.#events = prepare(
        db.selectFrom("task_events").select(["revision", "sequence", "body"]).where(ofTask).orderBy("sequence"),
      );
      this.#attempts = prepare(
        db
          .selectFrom("task_attempts")
          .select(["number", "worker_id as workerId", "start_time as startTimeMs", "end_time as endTimeMs"])
          .select(["outcome", "error"])
          .where(ofTask)
          .orderBy("number"),
      );
    } catch (error) {
      this.#database.close();
      throw error;
    }
  }

  checkFile({ isQuick }: { readonly isQuick: boolean }): readonly string[] {
    const rows = this.#database.pragma(isQuick ? "quick_check" : "integrity_check") as Record<string, unknown>[];
    const words = rows.flatMap((row) => Object.values(row)).map(String);
    return words.filter((word) => word !== "ok");
  }

  countCounters(): number {
    const query = db.selectFrom("counters").select((eb) => eb.fn.countAll<number>().as("count"));
    return this.#database.prepare<[], { count: number }>(query.compile().sql).get()?.count ?? 0;
  }

  visitTasks(afterKey: number, visit: (history: StoredHistory) => void): number | null {
    return this.#database.transaction((): number | null => {
      let bytes = 0;
      let last: number | null = null;
      for (const row of this.#tasks.iterate(afterKey, TASKS_PER_CHUNK)) {
        const { key, id } = row;
        const events = counted(this.#events.iterate(key), (size) => {
          bytes += size;
        });
        visit({ id, task: readTask(row), events, attempts: this.#readAttempts(key) });
        last = key;
        if (bytes > EVENT_BYTES_PER_CHUNK) break;
      }
      return last;
    })();
  }

  *orphans(): Iterable<OrphanRows> {
    for (const table of ["task_events", "task_attempts"] as const) {
      const bounds = db
        .selectFrom(table)
        .select((eb) => [eb.fn.min("task_key").as("least"), eb.fn.max("task_key").as("most")]);
      const { least, most } = this.#database
        .prepare<[], { least: number | null; most: number | null }>(bounds.compile().sql)
        .get() ?? { least: null, most: null };
      if (least === null || most === null) continue;
      const search = db
        .selectFrom(table)
        .select((eb) => ["task_key as taskKey", eb.fn.countAll<number>().as("count")])
        .where("task_key", ">=", bound<number>())
        .where("task_key", "<", bound<number>())
        .where((eb) => eb.not(eb.exists(eb.selectFrom("tasks").select("key").whereRef("key", "=", "task_key"))))
        .groupBy("task_key")
        .limit(sql.lit(ORPHANS_PER_SEARCH));
      const statement = this.#database.prepare<[number, number], Omit<OrphanRows, "table">>(search.compile().sql);
      for (let from = least; from <= most; from += KEYS_PER_ORPHAN_SEARCH)
        for (const row of statement.all(from, from + KEYS_PER_ORPHAN_SEARCH)) yield { table, ...row };
    }
  }

  close(): void {
    this.#database.close();
  }

  /** Makes sure that this is a database of this version; returns since when attempts are recorded. */
  #checkVersion(): number {
    const isTable = sql<boolean>`type = 'table' and name = 'migrations'`;
    const found = sql`select count(*) as count from sqlite_master where ${isTable}`.compile(db);
    if (this.#database.prepare<[], { count: number }>(found.sql).get()?.count !== 1)
      throw new Error("this is not a database of Taskwire: it has no migrations");
    const select = db.selectFrom("migrations").select(["name", "time"]).compile();
    const applied = this.#database.prepare<[], { name: string; time: number }>(select.sql).all();
    const pending = pendingMigrations(applied.map(({ name }) => name));
    if (pending.length > 0)
      throw new Error(
        `the database is of an older version (${pending.map(({ name }) => name).join(", ")} has not run): ` +
          "start this version's task-service on it once, or verify it with the version that wrote it",
      );
    const timeOf = (migration: string) => applied.find(({ name }) => name === migration)?.time ?? 0;
    const sinceMs = timeOf(ATTEMPTS_MIGRATION);
    // Both ran together: this database never was without.
    return sinceMs === timeOf(FIRST_MIGRATION) ? 0 : sinceMs;
  }

  #readAttempts(key: number): readonly AttemptRecord[] | undefined {
    try {
      return this.#attempts.all(key).map(({ error, ...attempt }) => ({
        ...attempt,
        error: error === null ? null : (JSON.parse(error) as AttemptErrorFact),
      }));
    } catch {
      return undefined;
    }
  }
}

function readTask(row: TaskRow): TaskRecord | undefined {
  try {
    return recordOf(row);
  } catch {
    return undefined;
  }
}

function* counted(events: Iterable<StoredEvent>, onBytes: (size: number) => void): Iterable<StoredEvent> {
  for (const event of events) {
    onBytes(event.body.length);
    yield event;
  }
}
