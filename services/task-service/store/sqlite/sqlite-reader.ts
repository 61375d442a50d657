import type { Database, Statement } from "better-sqlite3";
import { sql, type Compilable } from "kysely";
import { TaskState } from "#libs/tasks/task-state.js";
import type { AttemptErrorFact } from "#libs/tasks/claim.js";
import { eventContext, payloadContext } from "#libs/sealing/contexts.js";
import type { KeyRing } from "#libs/sealing/key-ring.js";
import { isSealedText } from "#libs/sealing/sealed-form.js";
import { missingKeyOf } from "#libs/sealing/sealing-errors.js";
import { attemptOf } from "#task-service/store/attempt-history.js";
import { createQueryBuilder } from "#task-service/store/query-builder.js";
import type { AnswerTo, ReadQuery, ReadResults, TaskHistory, TaskSituation } from "#task-service/store/read-query.js";
import { listStatement } from "#task-service/store/sqlite/list-statement.js";
import { LogReader } from "#task-service/store/sqlite/log-reader.js";
import { QueuePlaces } from "#task-service/store/sqlite/queue-places.js";
import { openForReading } from "#task-service/store/sqlite/open-database.js";
import { openRow } from "#task-service/store/sealed-row.js";
import { BASIC_COLUMNS, FULL_COLUMNS, recordOf, type TaskRow } from "#task-service/store/task-columns.js";
import type {
  AttemptRecord,
  DueTask,
  OverdueTask,
  RunningTask,
  TaskRecord,
  UnwatchedCancel,
} from "#task-service/store/task-record.js";

const db = createQueryBuilder();
const bound = <T extends number | string>() => sql<T>`?`;
const MAX_EVENT_BYTES = 1024 * 1024;

/** SQLite uses a partial index only for a query that repeats its condition word for word. */
const isActive = sql<boolean>`state <= 2`;

const dueColumns = db
  .selectFrom("tasks")
  .select(["key", "id", "type", "queue", "priority", "attempt", "payload as payloadJson", "run_time as runTimeMs"])
  .select(["worker_losses as workerLosses", "sequence"])
  .select(["max_attempts as maxAttempts", "soft_timeout as softTimeoutMs", "hard_timeout as hardTimeoutMs"])
  .select(["memory_bytes as memoryBytes"]);

const dueInLane = dueColumns
  .where(isActive)
  .where("state", "=", sql.lit(TaskState.PENDING))
  .where("waiting", "=", sql.lit(0))
  .where("cancel_request_time", "is", null)
  .where("queue", "=", bound<string>())
  .where("type", "=", bound<string>())
  .orderBy("priority", "desc")
  .orderBy("run_time")
  .orderBy("key")
  .limit(bound<number>());

const dueInLaneAfter = dueInLane
  .where("priority", "<=", bound<number>())
  .where(sql<boolean>`(priority < ? or (run_time, key) > (?, ?))`);

type AttemptRow = Omit<AttemptRecord, "error"> & { readonly error: string | null };

/** A reading connection of a SQLite database. Synchronous; lives in a thread. */
export class SqliteReader {
  readonly #database: Database;
  readonly #ring: KeyRing;
  readonly #getBasic: Statement<[string], TaskRow>;
  readonly #getFull: Statement<[string], TaskRow>;
  readonly #head: Statement<[string], { key: number; state: TaskState; sequence: number }>;
  readonly #events: Statement<[number, number, number], TaskHistory["events"][number]>;
  readonly #latestEvents: Statement<[number, number, number], TaskHistory["events"][number]>;
  readonly #dueFirst: Statement<[string, string, number], DueTask>;
  readonly #dueAfter: Statement<[string, string, number, number, number, number, number], DueTask>;
  readonly #dueByKey: Statement<[number], DueTask>;
  readonly #running: Statement<[], Omit<RunningTask, "isCancelRequested"> & { cancelTime: number | null }>;
  readonly #attempts: Statement<[number, number, number], AttemptRow>;
  readonly #overdue: Statement<[number, number], OverdueTask>;
  readonly #places: QueuePlaces;
  readonly #log: LogReader;
  readonly #lastRevision: Statement<[], { value: number | null }>;
  readonly #unwatched: Statement<[number, number], UnwatchedCancel>;
  readonly #lastKey: Statement<[], { value: number | null }>;

  constructor(path: string, ring: KeyRing) {
    this.#ring = ring;
    this.#database = openForReading(path);
    const prepare = <P extends unknown[], R>(query: Compilable) => this.#database.prepare<P, R>(query.compile().sql);
    this.#getBasic = prepare(db.selectFrom("tasks").select(BASIC_COLUMNS).where("id", "=", bound<string>()));
    this.#getFull = prepare(db.selectFrom("tasks").select(FULL_COLUMNS).where("id", "=", bound<string>()));
    this.#head = prepare(db.selectFrom("tasks").select(["key", "state", "sequence"]).where("id", "=", bound<string>()));
    const events = db
      .selectFrom("task_events")
      .select(["revision", "sequence", "body"])
      .where("task_key", "=", bound<number>())
      .limit(bound<number>());
    this.#events = prepare(events.where("sequence", ">", bound<number>()).orderBy("sequence"));
    this.#latestEvents = prepare(events.where("sequence", "<", bound<number>()).orderBy("sequence", "desc"));
    this.#dueFirst = prepare(dueInLane);
    this.#dueAfter = prepare(dueInLaneAfter);
    this.#dueByKey = prepare(
      dueColumns
        .where("key", "=", bound<number>())
        .where("state", "=", sql.lit(TaskState.PENDING))
        .where("waiting", "=", sql.lit(0))
        .where("cancel_request_time", "is", null),
    );
    this.#running = prepare(
      db
        .selectFrom("tasks")
        .select([
          "id",
          "queue",
          "type",
          "attempt",
          "worker_id as workerId",
          "worker_losses as workerLosses",
          "cancel_request_time as cancelTime",
          "cancel_reason as cancelReason",
        ])
        .where(isActive)
        .where("state", "=", sql.lit(TaskState.RUNNING))
        .$narrowType<{ workerId: string }>(),
    );
    this.#attempts = prepare(
      db
        .selectFrom("task_attempts")
        .select(["number", "worker_id as workerId", "start_time as startTimeMs", "end_time as endTimeMs"])
        .select(["outcome", "error"])
        .where("task_key", "=", bound<number>())
        .where("number", ">", bound<number>())
        .orderBy("number")
        .limit(bound<number>()),
    );
    this.#overdue = prepare(
      db
        .selectFrom("tasks")
        .select(["key", "id", "queue", "attempt", "deadline_time as deadlineMs"])
        .where(sql<boolean>`state = 1 and deadline_time is not null`)
        .where("deadline_time", "<=", bound<number>())
        .orderBy("deadline_time")
        .limit(bound<number>())
        .$narrowType<{ deadlineMs: number }>(),
    );
    this.#log = new LogReader(this.#database, ring);
    this.#places = new QueuePlaces(this.#database);
    // The counter alone knows revisions whose events were deleted; it is saved with every deletion.
    const counted = db.selectFrom("counters").select("last_revision as revision");
    const logged = db.selectFrom("task_events").select("revision").orderBy("revision", "desc").limit(sql.lit(1));
    this.#unwatched = prepare(
      db
        .selectFrom("tasks")
        .select(["key", "id", "unwatched_cancel as afterMs"])
        .where(sql<boolean>`state <= 2 and unwatched_cancel is not null`)
        .where("cancel_request_time", "is", null)
        .where("key", ">", bound<number>())
        .orderBy("key")
        .limit(bound<number>())
        .$narrowType<{ afterMs: number }>(),
    );
    this.#lastKey = prepare(db.selectFrom("tasks").select((eb) => eb.fn.max("key").as("value")));
    this.#lastRevision = prepare(
      db
        .selectFrom(counted.unionAll(db.selectFrom(logged.as("log")).select("revision")).as("both"))
        .select((eb) => eb.fn.max("revision").as("value")),
    );
  }

  /** Answers one query. */
  answer<Q extends ReadQuery>(query: Q): AnswerTo<Q>;
  answer(query: ReadQuery): ReadResults[ReadQuery["kind"]] {
    switch (query.kind) {
      case "getTask": {
        const row = (query.isFull ? this.#getFull : this.#getBasic).get(query.id);
        return row === undefined ? null : recordOf(openRow(row, this.#ring));
      }
      case "listTasks":
        return this.#list(query);
      case "readEvents":
        return this.#history(query.id, ({ key }) => this.#events.iterate(key, query.afterSequence, query.limit));
      case "readLatestEvents":
        return this.#history(query.id, ({ key, sequence }) =>
          this.#latestEvents.iterate(key, query.beforeSequence ?? sequence + 1, query.limit),
        );
      case "readLog":
        return this.#log.readLog(query);
      case "readSelected":
        return this.#log.readSelected(query.filter, query.afterId);
      case "readSituation":
        return this.#situation(query.id);
      case "readDue": {
        const { lane, after, limit } = query;
        if (after === null) return this.#dueFirst.all(lane.queue, lane.type, limit).map((row) => this.#openDue(row));
        const { priority, runTimeMs, key } = after;
        const rows = this.#dueAfter.all(lane.queue, lane.type, priority, priority, runTimeMs, key, limit);
        return rows.map((row) => this.#openDue(row));
      }
      case "loadDue":
        return query.keys.flatMap((key) => this.#dueByKey.get(key) ?? []).map((row) => this.#openDue(row));
      case "readRunning":
        return this.#running
          .all()
          .map(({ cancelTime, ...task }) => ({ ...task, isCancelRequested: cancelTime !== null }));
      case "listAttempts":
        return this.#listAttempts(query);
      case "readOverdue":
        return this.#overdue.all(query.nowMs, query.limit);
      case "lastRevision":
        return this.#lastRevision.get()?.value ?? 0;
      case "readUnwatchedCancels":
        return this.#unwatched.all(query.afterKey, query.limit);
      case "lastKey":
        return this.#lastKey.get()?.value ?? 0;
    }
  }

  close(): void {
    this.#database.close();
  }

  /** Others in its lane must not suffer from a payload that cannot be opened: that is for dispatch to know. */
  #openDue(row: DueTask): DueTask {
    return isSealedText(row.payloadJson) ? { ...row, ...this.#openPayload(row.id, row.payloadJson) } : row;
  }

  #openPayload(id: string, payload: string): { payloadJson: string; lockedBy?: string } {
    try {
      return { payloadJson: this.#ring.openText(payload, payloadContext(id)) };
    } catch (error) {
      return { payloadJson: "", lockedBy: missingKeyOf(error) ?? "" };
    }
  }

  #situation(id: string): TaskSituation | null {
    return this.#database.transaction(() => {
      const row = this.#getFull.get(id);
      if (row === undefined) return null;
      const { payload = "", waiting, state } = row;
      const isPending = state === TaskState.PENDING;
      const lockedBy = isPending && isSealedText(payload) ? this.#openPayload(id, payload).lockedBy : undefined;
      const task = recordOf({ ...row, payload: "", result: null });
      const place = isPending && waiting === 0 ? this.#places.of(task) : null;
      return { task, place, lockedBy: lockedBy ?? null };
    })();
  }

  /** Task and attempts come from one snapshot, so that the latest attempt is in one of them. */
  #listAttempts(query: Extract<ReadQuery, { kind: "listAttempts" }>): ReadResults["listAttempts"] {
    return this.#database.transaction(() => {
      const row = this.#getBasic.get(query.id);
      if (row === undefined) return null;
      const stored = this.#attempts
        .all(row.key, query.afterNumber, query.limit)
        .map(({ error, ...attempt }): AttemptRecord => ({
          ...attempt,
          error: error === null ? null : (JSON.parse(error) as AttemptErrorFact),
        }));
      const latest = attemptOf(recordOf(row), 0);
      const isStored = stored.some(({ number }) => number === latest?.number);
      if (latest === undefined || latest.number <= query.afterNumber || isStored) return stored;
      return stored.length < query.limit ? [...stored, latest] : stored;
    })();
  }

  #list(query: Extract<ReadQuery, { kind: "listTasks" }>): ReadResults["listTasks"] {
    const compiled = listStatement(query.list);
    const statement = this.#database.prepare<unknown[], TaskRow>(compiled.sql);
    const tasks: TaskRecord[] = [];
    let bytes = 0;
    for (const row of statement.iterate(...compiled.parameters)) {
      bytes += (row.payload?.length ?? 0) + (row.result?.length ?? 0) + 500;
      const isFull = tasks.length === query.list.limit || (tasks.length > 0 && bytes > query.list.maxBytes);
      if (isFull) return { tasks, hasMore: true };
      tasks.push(recordOf(openRow(row, this.#ring)));
    }
    return { tasks, hasMore: false };
  }

  /** Task and events come from one snapshot, so that “nothing more” can be told from “not yet read”. */
  #history(
    id: string,
    eventsOf: (head: { readonly key: number; readonly sequence: number }) => Iterable<TaskHistory["events"][number]>,
  ): TaskHistory | null {
    return this.#database.transaction(() => {
      const head = this.#head.get(id);
      if (head === undefined) return null;
      const events: TaskHistory["events"][number][] = [];
      let bytes = 0;
      for (const event of eventsOf(head)) {
        events.push({ ...event, body: new Uint8Array(this.#ring.open(event.body, eventContext(event.revision))) });
        bytes += event.body.length;
        if (bytes > MAX_EVENT_BYTES) break;
      }
      return { state: head.state, sequence: head.sequence, events };
    })();
  }
}
