import type { Database, Statement } from "better-sqlite3";
import { sql, type Compilable } from "kysely";
import { eventContext } from "#libs/sealing/contexts.js";
import type { KeyRing } from "#libs/sealing/key-ring.js";
import type { FilterExpression } from "#libs/tasks/filter/filter-expression.js";
import { ChangeWriter } from "#task-service/store/log/change-writer.js";
import { EventClass, eventHead } from "#task-service/store/log/event-head.js";
import { LogSelector, type LogVerdict, type TaskMoment } from "#task-service/store/log/log-selector.js";
import { createQueryBuilder } from "#task-service/store/query-builder.js";
import type { LogBounds, LogPage, LogQuery, SelectedTasks } from "#task-service/store/read-query.js";
import { LogBlocks, type LogEntry } from "#task-service/store/sqlite/log-blocks.js";
import { listStatement } from "#task-service/store/sqlite/list-statement.js";
import { recordOf, type BASIC_COLUMNS, type TaskRow } from "#task-service/store/task-columns.js";
import type { TaskRecord } from "#task-service/store/task-record.js";

const db = createQueryBuilder();
const bound = <T extends number | string>() => sql<T>`?`;

/** A page ends after so many events were looked at, kept, or so many bytes kept. */
const MAX_SCANNED = 8000;
const MAX_KEPT = 1000;
const MAX_KEPT_BYTES = 512 * 1024;
const TASKS_PER_PAGE = 100;

interface Kept {
  readonly entry: LogEntry;
  readonly verdict: LogVerdict;
  isConflated: boolean;
}

/** Reads the log for watchers of many tasks. Synchronous; lives in a reader's thread. */
export class LogReader {
  readonly #database: Database;
  readonly #ring: KeyRing;
  readonly #blocks: LogBlocks;
  readonly #before: Statement<[number, number], { revision: number; body: Uint8Array }>;
  readonly #counters: Statement<[], LogBounds>;
  readonly #last: Statement<[], { value: number | null }>;

  constructor(database: Database, ring: KeyRing) {
    this.#database = database;
    this.#ring = ring;
    const prepare = <P extends unknown[], R>(query: Compilable) => database.prepare<P, R>(query.compile().sql);
    this.#blocks = new LogBlocks(database, ring);
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
      for (const { entry, verdict, isConflated } of kept) {
        const { revision: at, sequence, task } = entry;
        if (isConflated) conflated.push(at);
        else if (verdict === "event") writer.event(task, entry.body);
        else writer.unselected(task, { revision: at, sequence, state: entry.head.state });
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
      const tasks: TaskRecord[] = [];
      let bytes = 0;
      for (const row of statement.iterate(...parameters)) {
        bytes += row.labels.length + row.description.length + (row.error?.length ?? 0) + (row.progress?.length ?? 0);
        const isFull = tasks.length === TASKS_PER_PAGE || (tasks.length > 0 && bytes > MAX_KEPT_BYTES);
        if (isFull) return { ...this.#bounds(), tasks, hasMore: true };
        tasks.push(recordOf(row));
      }
      return { ...this.#bounds(), tasks, hasMore: false };
    })();
  }

  #bounds(): LogBounds {
    const { lastRevision = 0, compactedRevision = 0 } = this.#counters.get() ?? {};
    return { lastRevision: Math.max(lastRevision, this.#last.get()?.value ?? 0), compactedRevision };
  }

  #scan({ selection, afterRevision, upToId }: LogQuery, upTo: number): { kept: Kept[]; revision: number } {
    const selector = new LogSelector(selection);
    const { ids } = selector;
    const mattering = new Map<number, boolean>();
    const latest = new Map<number, LogEntry>();
    const kept: Kept[] = [];
    const latestProgress = new Map<string, Kept>();
    let scanned = 0;
    let keptCount = 0;
    let bytes = 0;
    const entries =
      ids === undefined
        ? this.#blocks.after(afterRevision, upTo)
        : this.#blocks.of(ids, afterRevision, upTo, MAX_SCANNED);
    for (const entry of entries) {
      scanned += 1;
      const { revision, task, taskKey } = entry;
      const matters = mattering.get(taskKey) ?? ((upToId === null || task.id <= upToId) && selector.mayMatter(task));
      mattering.set(taskKey, matters);
      const before = () => this.#momentBefore(entry, latest.get(taskKey));
      const verdict = matters ? selector.judge(task, entry.head, before) : undefined;
      if (matters && selector.needsBefore) latest.set(taskKey, entry);
      if (verdict !== undefined) {
        const one: Kept = { entry, verdict, isConflated: false };
        kept.push(one);
        keptCount += 1;
        bytes += entry.bytes;
        if (verdict === "event" && entry.head.eventClass === EventClass.PROGRESS) {
          const key = `${taskKey} ${entry.head.attempt}`;
          const earlier = latestProgress.get(key);
          latestProgress.set(key, one);
          if (earlier !== undefined) {
            earlier.isConflated = true;
            keptCount -= 1;
            bytes -= earlier.entry.bytes;
          }
        }
      }
      if (scanned === MAX_SCANNED || keptCount >= MAX_KEPT || bytes >= MAX_KEPT_BYTES) return { kept, revision };
    }
    return { kept, revision: upTo };
  }

  /** `earlier`: the task's event that was looked at before, where there was one. */
  #momentBefore({ taskKey, sequence }: LogEntry, earlier: LogEntry | undefined): TaskMoment | null {
    if (earlier?.sequence === sequence - 1) return earlier.head;
    const row = this.#before.get(taskKey, sequence - 1);
    return row === undefined ? null : eventHead(this.#ring.open(row.body, eventContext(row.revision)));
  }
}
