import type { Database, Statement } from "better-sqlite3";
import { sql, type Compilable } from "kysely";
import { eventContext } from "#libs/sealing/contexts.js";
import type { KeyRing } from "#libs/sealing/key-ring.js";
import type { FilterExpression } from "#libs/tasks/filter/filter-expression.js";
import { ChangeWriter } from "#task-service/store/log/change-writer.js";
import { EventClass, eventHead, type EventHead } from "#task-service/store/log/event-head.js";
import { LogSelector, type LogVerdict, type TaskMoment } from "#task-service/store/log/log-selector.js";
import { createQueryBuilder } from "#task-service/store/query-builder.js";
import type { LogBounds, LogPage, LogQuery, SelectedTasks } from "#task-service/store/read-query.js";
import { listStatement } from "#task-service/store/sqlite/list-statement.js";
import { recordOf, type BASIC_COLUMNS, type TaskRow } from "#task-service/store/task-columns.js";

const db = createQueryBuilder();
const bound = <T extends number | string>() => sql<T>`?`;

/** A page ends after so many events were looked at, kept, or so many bytes kept. */
const MAX_SCANNED = 4000;
const MAX_KEPT = 1000;
const MAX_KEPT_BYTES = 256 * 1024;
const TASKS_PER_PAGE = 100;

interface LogRow {
  readonly revision: number;
  readonly taskKey: number;
  readonly sequence: number;
  readonly body: Uint8Array;
  readonly id: string;
  readonly type: string;
  readonly queue: string;
  readonly priority: number;
  readonly labelsJson: string;
}

interface Kept {
  readonly row: LogRow;
  readonly body: Uint8Array;
  readonly head: EventHead;
  readonly verdict: LogVerdict;
  isConflated: boolean;
}

/** Reads the log for watchers of many tasks. Synchronous; lives in a reader's thread. */
export class LogReader {
  readonly #database: Database;
  readonly #ring: KeyRing;
  readonly #rows: Statement<[number, number, number], LogRow>;
  /** Of some tasks, whose ids are bound as a JSON array. */
  readonly #rowsOf: Statement<[string, number, number, number], LogRow>;
  readonly #before: Statement<[number, number], { revision: number; body: Uint8Array }>;
  readonly #counters: Statement<[], LogBounds>;
  readonly #last: Statement<[], { value: number | null }>;

  constructor(database: Database, ring: KeyRing) {
    this.#database = database;
    this.#ring = ring;
    const prepare = <P extends unknown[], R>(query: Compilable) => database.prepare<P, R>(query.compile().sql);
    const rows = db
      .selectFrom("task_events as e")
      .innerJoin("tasks as t", "t.key", "e.task_key")
      .select(["e.revision", "e.task_key as taskKey", "e.sequence", "e.body"])
      .select(["t.id", "t.type", "t.queue", "t.priority", "t.labels as labelsJson"]);
    const inOrder = (query: typeof rows) =>
      query
        .where("e.revision", ">", bound<number>())
        .where("e.revision", "<=", bound<number>())
        .orderBy("e.revision")
        .limit(bound<number>());
    this.#rows = prepare(inOrder(rows));
    this.#rowsOf = prepare(inOrder(rows.where(sql<boolean>`t.id in (select value from json_each(?))`)));
    this.#before = prepare(
      db
        .selectFrom("task_events")
        .select(["revision", "body"])
        .where("task_key", "=", bound<number>())
        .where("sequence", "=", bound<number>()),
    );
    this.#counters = prepare(
      db.selectFrom("counters").select(["last_revision as lastRevision", "compacted_revision as compactedRevision"]),
    );
    this.#last = prepare(db.selectFrom("task_events").select((eb) => eb.fn.max("revision").as("value")));
  }

  /** Reads the next piece of the log for a selection: nothing when the cursor is outside of what is kept. */
  readLog(query: LogQuery): LogPage {
    return this.#database.transaction((): LogPage => {
      const bounds = this.#bounds();
      const { afterRevision } = query;
      const isKept = afterRevision >= bounds.compactedRevision && afterRevision <= bounds.lastRevision;
      if (!isKept) return { ...bounds, changes: new Uint8Array(), conflated: [], revision: afterRevision };
      const upTo = Math.min(query.upToRevision ?? bounds.lastRevision, bounds.lastRevision);
      const { kept, revision } = this.#scan(query, upTo);
      const writer = new ChangeWriter();
      const conflated: number[] = [];
      for (const { row, body, head, verdict, isConflated } of kept) {
        if (isConflated) conflated.push(row.revision);
        else if (verdict === "event") writer.event(row, body);
        else writer.unselected(row, { ...row, state: head.state });
      }
      return { ...bounds, changes: writer.finish(), conflated, revision };
    })();
  }

  /** Reads the next tasks that match now. */
  readSelected(filter: FilterExpression | null, afterId: string): SelectedTasks {
    const after = afterId === "" ? null : { id: afterId, updateTimeMs: 0, key: 0 };
    const { sql: text, parameters } = listStatement({
      filter,
      sortBy: "id",
      isDescending: false,
      after,
      limit: TASKS_PER_PAGE,
      isFull: false,
      maxBytes: 0,
    });
    const statement = this.#database.prepare<unknown[], Pick<TaskRow, (typeof BASIC_COLUMNS)[number]>>(text);
    return this.#database.transaction((): SelectedTasks => {
      const rows = statement.all(...parameters);
      const tasks = rows.slice(0, TASKS_PER_PAGE).map(recordOf);
      return { ...this.#bounds(), tasks, hasMore: rows.length > TASKS_PER_PAGE };
    })();
  }

  #bounds(): LogBounds {
    const { lastRevision = 0, compactedRevision = 0 } = this.#counters.get() ?? {};
    return { lastRevision: Math.max(lastRevision, this.#last.get()?.value ?? 0), compactedRevision };
  }

  #scan({ selection, afterRevision, upToId }: LogQuery, upTo: number): { kept: Kept[]; revision: number } {
    const selector = new LogSelector(selection);
    const mattering = new Map<number, boolean>();
    const kept: Kept[] = [];
    const latestProgress = new Map<string, Kept>();
    let scanned = 0;
    let keptCount = 0;
    let bytes = 0;
    const { ids } = selector;
    const rows =
      ids === undefined
        ? this.#rows.iterate(afterRevision, upTo, MAX_SCANNED)
        : this.#rowsOf.iterate(JSON.stringify([...ids]), afterRevision, upTo, MAX_SCANNED);
    for (const row of rows) {
      scanned += 1;
      const isFull = scanned === MAX_SCANNED;
      const matters = mattering.get(row.taskKey) ?? ((upToId === null || row.id <= upToId) && selector.mayMatter(row));
      mattering.set(row.taskKey, matters);
      if (!matters) {
        if (isFull) return { kept, revision: row.revision };
        continue;
      }
      const body = this.#ring.open(row.body, eventContext(row.revision));
      const head = eventHead(body);
      const verdict = selector.judge(row, head, () => this.#momentBefore(row));
      if (verdict !== undefined) {
        const entry: Kept = { row, body, head, verdict, isConflated: false };
        kept.push(entry);
        keptCount += 1;
        bytes += body.length;
        if (verdict === "event" && head.eventClass === EventClass.PROGRESS) {
          const key = `${row.taskKey} ${head.attempt}`;
          const earlier = latestProgress.get(key);
          latestProgress.set(key, entry);
          if (earlier !== undefined) {
            earlier.isConflated = true;
            keptCount -= 1;
            bytes -= earlier.body.length;
          }
        }
      }
      if (isFull || keptCount >= MAX_KEPT || bytes >= MAX_KEPT_BYTES) return { kept, revision: row.revision };
    }
    return { kept, revision: upTo };
  }

  #momentBefore({ taskKey, sequence }: LogRow): TaskMoment | null {
    const row = this.#before.get(taskKey, sequence - 1);
    return row === undefined ? null : eventHead(this.#ring.open(row.body, eventContext(row.revision)));
  }
}
