import type { Database, Statement } from "better-sqlite3";
import { sql, type Compilable } from "kysely";
import { TaskState } from "#libs/tasks/task-state.js";
import { createQueryBuilder } from "#task-service/store/query-builder.js";
import { MAX_COUNTED, type QueuePlace } from "#task-service/store/read-query.js";
import type { TaskRecord } from "#task-service/store/task-record.js";

const db = createQueryBuilder();
const bound = <T extends number | string>() => sql<T>`?`;

/** Most types of a queue in which earlier tasks are looked for. */
const MAX_TYPES = 1000;

/** SQLite uses the partial index of active tasks only for a query that repeats its condition word for word. */
const dueOfQueue = db
  .selectFrom("tasks")
  .where(sql<boolean>`state <= 2`)
  .where("state", "=", sql.lit(TaskState.PENDING))
  .where("waiting", "=", sql.lit(0))
  .where("queue", "=", bound<string>());

const due = dueOfQueue.select(sql.lit(1).as("one"));
const dueOfType = due.where("type", "=", bound<string>());
const ofPriority = dueOfType.where("priority", "=", bound<number>());

/** Each part is one range of the index; a single condition for all of them would make SQLite read what comes after the task, too. */
const ahead = dueOfType
  .where("priority", ">", bound<number>())
  .unionAll(ofPriority.where("run_time", "<", bound<number>()))
  .unionAll(ofPriority.where("run_time", "=", bound<number>()).where("key", "<", bound<number>()))
  .limit(bound<number>());

const counted = (rows: typeof due) =>
  db.selectFrom(rows.as("counted")).select((eb) => eb.fn.countAll<number>().as("count"));

const statements = {
  nextType: dueOfQueue.select("type").where("type", ">", bound<string>()).orderBy("type").limit(sql.lit(1)),
  ahead: counted(ahead),
  total: counted(due.limit(bound<number>())),
};

type Place = Pick<TaskRecord, "queue" | "priority" | "runTimeMs" | "key">;

/** Finds where due tasks stand in their queues by counting in the index alone, {@link MAX_COUNTED} rows at most, whatever the queue holds. */
export class QueuePlaces {
  readonly #nextType: Statement<[string, string], { type: string }>;
  readonly #ahead: Statement<(string | number)[], { count: number }>;
  readonly #total: Statement<[string, number], { count: number }>;

  constructor(database: Database) {
    const prepare = <P extends unknown[], R>(query: Compilable) => database.prepare<P, R>(query.compile().sql);
    this.#nextType = prepare(statements.nextType);
    this.#ahead = prepare(statements.ahead);
    this.#total = prepare(statements.total);
  }

  /** The place of a task that is due. */
  of(task: Place): QueuePlace {
    const { count: before, isMinimum: isPositionMinimum } = this.#countAhead(task);
    const total = this.#total.get(task.queue, MAX_COUNTED + 1)?.count ?? 0;
    return {
      position: Math.min(before + 1, MAX_COUNTED),
      total: Math.min(total, MAX_COUNTED),
      isPositionMinimum,
      isTotalMinimum: total > MAX_COUNTED,
    };
  }

  #countAhead({ queue, priority, runTimeMs, key }: Place): { count: number; isMinimum: boolean } {
    let count = 0;
    let type = "";
    for (let types = 0; types < MAX_TYPES; types += 1) {
      const next = this.#nextType.get(queue, type);
      if (next === undefined) return { count, isMinimum: false };
      type = next.type;
      const lane = [queue, type] as const;
      const bounds = [...lane, priority, ...lane, priority, runTimeMs, ...lane, priority, runTimeMs, key];
      count += this.#ahead.get(...bounds, MAX_COUNTED - count)?.count ?? 0;
      if (count >= MAX_COUNTED) return { count, isMinimum: true };
    }
    return { count, isMinimum: true };
  }
}

/** The statements, for who wants to see how SQLite runs them. */
export const queuePlaceSql = Object.values(statements).map((query) => query.compile().sql);
