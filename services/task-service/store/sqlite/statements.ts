import type { Database, Statement } from "better-sqlite3";
import { sql, type Compilable } from "kysely";
import { TaskState } from "#libs/tasks/task-state.js";
import { createQueryBuilder } from "#task-service/store/query-builder.js";
import type { OpenCount } from "#task-service/store/store-statistics.js";
import type { TaskAttemptsTable, TaskEventsTable, TasksTable } from "#task-service/store/schema.js";
import { BASIC_COLUMNS, FULL_COLUMNS, type TaskRow } from "#task-service/store/task-columns.js";

const db = createQueryBuilder();
/** Stands for a value bound at run time, in the order of appearance. */
const bound = <T extends number | string>() => sql<T>`?`;

/** The columns a new task is inserted with, in the order they are bound. */
export const INSERT_COLUMNS = [
  "key",
  "id",
  "type",
  "queue",
  "waiting",
  "priority",
  "payload",
  "labels",
  "description",
  "max_attempts",
  "initial_delay",
  "maximum_delay",
  "multiplier",
  "create_time",
  "update_time",
  "run_time",
  "soft_timeout",
  "hard_timeout",
  "memory_bytes",
  "total_timeout",
  "deadline_time",
  "retry_codes",
  "unwatched_cancel",
  "webhook",
  "request_id",
  "request_hash",
] as const satisfies readonly (keyof TasksTable)[];

/** What the writer reads of a task. */
const CACHED_COLUMNS = [...BASIC_COLUMNS, "webhook"] as const satisfies readonly (keyof TasksTable)[];

/** The columns that change in a task's life, in the order they are bound; its key is bound last. */
export const UPDATE_COLUMNS = [
  "state",
  "waiting",
  "result",
  "error",
  "attempt",
  "uncounted_attempts",
  "max_attempts",
  "initial_delay",
  "maximum_delay",
  "multiplier",
  "report_number",
  "worker_id",
  "progress",
  "update_time",
  "start_time",
  "end_time",
  "run_time",
  "cancel_request_time",
  "cancel_reason",
  "sequence",
  "worker_losses",
  "total_timeout",
  "deadline_time",
  "retry_codes",
  "warnings",
] as const satisfies readonly (keyof TasksTable)[];

const ATTEMPT_COLUMNS = [
  "task_key",
  "number",
  "worker_id",
  "start_time",
  "end_time",
  "outcome",
  "error",
] as const satisfies readonly (keyof TaskAttemptsTable)[];

/** Every statement of the writer, compiled once per connection. */
export interface WriterStatements {
  readonly insertTask: Statement;
  readonly insertEvent: Statement;
  readonly updateTask: Statement;
  /** Does nothing where the attempt has a row already. */
  readonly insertAttempt: Statement;
  readonly selectById: Statement<[string], TaskRow>;
  readonly selectByKey: Statement<[number], TaskRow>;
  readonly selectByRequestId: Statement<[string], TaskRow & { request_hash: string | null }>;
  readonly selectWaitingDue: Statement<[number, number], TaskRow>;
  readonly selectOldCancels: Statement<[number, number], { id: string }>;
  /** As those above and below choose, by what indexes hold alone: a damaged row does not matter. */
  readonly selectKeysOf: {
    readonly makeDue: Statement<[number, number], { key: number }>;
    readonly endOldCancels: Statement<[number, number], { key: number }>;
    readonly deleteFinished: Statement<[number, number], { key: number }>;
  };
  readonly selectNextWaiting: Statement<[], { run_time: number }>;
  readonly clearWaiting: Statement<[number]>;
  readonly selectFinishedBefore: Statement<[number, number], { key: number; id: string }>;
  readonly deleteEvents: Statement<[number]>;
  readonly deleteAttempts: Statement<[number]>;
  readonly deleteTask: Statement<[number]>;
  readonly selectCounters: Statement<[], { last_key: number; last_revision: number }>;
  readonly selectMaxKey: Statement<[], { value: number | null }>;
  readonly selectMaxRevision: Statement<[], { value: number | null }>;
  /** Unfinished tasks by queue. */
  readonly countOpen: Statement<[], OpenCount>;
  readonly saveCounters: Statement<[number, number]>;
  /** Of a task. */
  readonly selectLastRevision: Statement<[number], { revision: number }>;
  /** Events up to a revision may be missing. */
  readonly raiseCompacted: Statement<[number]>;
}

/** Prepares the writer's statements on its connection. */
export function prepareWriterStatements(database: Database): WriterStatements {
  const prepare = <P extends unknown[], R>(query: Compilable): Statement<P, R> =>
    database.prepare<P, R>(query.compile().sql);
  const fresh = {
    state: sql.lit(TaskState.PENDING),
    attempt: sql.lit(0),
    uncounted_attempts: sql.lit(0),
    report_number: sql.lit(0),
    cancel_reason: sql.lit(""),
    sequence: sql.lit(1),
    worker_losses: sql.lit(0),
  };
  return {
    insertTask: prepare(
      db
        .insertInto("tasks")
        .values({ ...valuesOf<TasksTable, (typeof INSERT_COLUMNS)[number]>(INSERT_COLUMNS), ...fresh }),
    ),
    insertEvent: prepare(
      db
        .insertInto("task_events")
        .values(valuesOf<TaskEventsTable, keyof TaskEventsTable>(["revision", "task_key", "sequence", "body"])),
    ),
    updateTask: prepare(
      db
        .updateTable("tasks")
        .set(valuesOf<TasksTable, (typeof UPDATE_COLUMNS)[number]>(UPDATE_COLUMNS))
        .where("key", "=", bound<number>()),
    ),
    insertAttempt: prepare(
      db
        .insertInto("task_attempts")
        .orIgnore()
        .values(valuesOf<TaskAttemptsTable, (typeof ATTEMPT_COLUMNS)[number]>(ATTEMPT_COLUMNS)),
    ),
    selectById: prepare(db.selectFrom("tasks").select(CACHED_COLUMNS).where("id", "=", bound<string>())),
    selectByKey: prepare(db.selectFrom("tasks").select(CACHED_COLUMNS).where("key", "=", bound<number>())),
    selectByRequestId: prepare(
      db
        .selectFrom("tasks")
        .select([...FULL_COLUMNS, "request_hash"])
        .where("request_id", "=", bound<string>()),
    ),
    selectWaitingDue: prepare(
      db
        .selectFrom("tasks")
        .select(CACHED_COLUMNS)
        .where("waiting", "=", sql.lit(1))
        .where("run_time", "<=", bound<number>())
        .orderBy("run_time")
        .limit(bound<number>()),
    ),
    selectOldCancels: prepare(
      db
        .selectFrom("tasks")
        .select("id")
        .where(sql<boolean>`state = 1 and cancel_request_time is not null`)
        .where("cancel_request_time", "<", bound<number>())
        .limit(bound<number>()),
    ),
    selectKeysOf: {
      makeDue: prepare(
        db
          .selectFrom("tasks")
          .select("key")
          .where("waiting", "=", sql.lit(1))
          .where("run_time", "<=", bound<number>())
          .orderBy("run_time")
          .limit(bound<number>()),
      ),
      endOldCancels: prepare(
        db
          .selectFrom("tasks")
          .select("key")
          .where(sql<boolean>`state = 1 and cancel_request_time is not null`)
          .where("cancel_request_time", "<", bound<number>())
          .limit(bound<number>()),
      ),
      deleteFinished: prepare(
        db
          .selectFrom("tasks")
          .select("key")
          .where("update_time", "<", bound<number>())
          // The state itself is in no index of finished tasks.
          .where(sql<boolean>`key not in (select key from tasks where state <= 2)`)
          .orderBy("update_time")
          .limit(bound<number>()),
      ),
    },
    selectNextWaiting: prepare(
      db.selectFrom("tasks").select("run_time").where("waiting", "=", sql.lit(1)).orderBy("run_time").limit(sql.lit(1)),
    ),
    clearWaiting: prepare(
      db
        .updateTable("tasks")
        .set({ waiting: sql.lit(0) })
        .where("key", "=", bound<number>()),
    ),
    selectFinishedBefore: prepare(
      db
        .selectFrom("tasks")
        .select(["key", "id"])
        .where("update_time", "<", bound<number>())
        .where("state", ">=", sql.lit(TaskState.COMPLETED))
        .orderBy("update_time")
        .limit(bound<number>()),
    ),
    deleteEvents: prepare(db.deleteFrom("task_events").where("task_key", "=", bound<number>())),
    deleteAttempts: prepare(db.deleteFrom("task_attempts").where("task_key", "=", bound<number>())),
    deleteTask: prepare(db.deleteFrom("tasks").where("key", "=", bound<number>())),
    selectCounters: prepare(db.selectFrom("counters").select(["last_key", "last_revision"])),
    selectMaxKey: prepare(db.selectFrom("tasks").select((eb) => eb.fn.max("key").as("value"))),
    selectMaxRevision: prepare(db.selectFrom("task_events").select((eb) => eb.fn.max("revision").as("value"))),
    countOpen: prepare(
      db
        .selectFrom("tasks")
        .select((eb) => ["queue", eb.fn.countAll<number>().as("open")])
        .select(sql<number>`count(*) filter (where state = 2)`.as("running"))
        // SQLite uses a partial index only for a query that repeats its condition word for word.
        .where(sql<boolean>`state <= 2`)
        .groupBy("queue"),
    ),
    selectLastRevision: prepare(
      db
        .selectFrom("task_events")
        .select("revision")
        .where("task_key", "=", bound<number>())
        .orderBy("sequence", "desc")
        .limit(sql.lit(1)),
    ),
    raiseCompacted: prepare(
      db.updateTable("counters").set({ compacted_revision: sql<number>`max(compacted_revision, ?)` }),
    ),
    saveCounters: prepare(db.updateTable("counters").set(valuesOf(["last_key", "last_revision"]))),
  };
}

function valuesOf<T, C extends keyof T>(columns: readonly C[]): Record<C, never> {
  return Object.fromEntries(columns.map((column) => [column, sql`?`])) as unknown as Record<C, never>;
}
