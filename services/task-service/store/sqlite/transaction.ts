import { isTerminalFact, type EventFact } from "#libs/tasks/event-fact.js";
import type { Moment } from "#libs/tasks/moment.js";
import { eventContext, resultContext } from "#libs/sealing/contexts.js";
import type { KeyRing } from "#libs/sealing/key-ring.js";
import { attemptOf } from "#task-service/store/attempt-history.js";
import { isTerminal, TaskState } from "#libs/tasks/task-state.js";
import type { Commit, CommittedEvent, TaskChange } from "#task-service/store/commit.js";
import { CommitTally } from "#task-service/store/commit-counts.js";
import { encodeEvent } from "#task-service/store/event-body.js";
import type { OpenTasks } from "#task-service/store/sqlite/open-tasks.js";
import type { WriterStatements } from "#task-service/store/sqlite/statements.js";
import type { CachedTask, TaskCache } from "#task-service/store/sqlite/task-cache.js";
import { recordOf, type TaskRow } from "#task-service/store/task-columns.js";
import type { TaskRecord } from "#task-service/store/task-record.js";
import type { WriteResults } from "#task-service/store/write-command.js";

/** What a {@link Transaction} works with. */
export interface TransactionOptions {
  readonly statements: WriterStatements;
  readonly cache: TaskCache;
  readonly nowMs: number;
  readonly lastKey: number;
  readonly lastRevision: number;
  readonly openTasks: OpenTasks;
  /** The queue of the tasks that tell of ended ones; empty: that of the task that ended. */
  readonly webhookQueue: string;
  readonly ring: KeyRing;
}

/**
 * One transaction's work in progress. Events are inserted as they happen; a task that changes several times is written back once,
 * at the end, which is why `started` and `succeeded` of a quick task cost one update.
 */
export class Transaction {
  readonly statements: WriterStatements;
  readonly moment: Moment;
  readonly cache: TaskCache;
  readonly ring: KeyRing;
  readonly webhookQueue: string;
  readonly tally = new CommitTally();
  lastKey: number;
  lastRevision: number;
  readonly #events: CommittedEvent[] = [];
  readonly #changed = new Set<CachedTask>();
  readonly #changes: TaskChange[] = [];
  readonly #openTasks: OpenTasks;
  readonly #openDelta = new Map<string, number>();

  constructor(options: TransactionOptions) {
    this.statements = options.statements;
    this.cache = options.cache;
    this.ring = options.ring;
    this.webhookQueue = options.webhookQueue;
    this.moment = { nowMs: options.nowMs, random: Math.random };
    this.lastKey = options.lastKey;
    this.lastRevision = options.lastRevision;
    this.#openTasks = options.openTasks;
  }

  /** Whether a queue may take `count` more tasks. */
  hasRoom(queue: string, count: number): boolean {
    return this.#openTasks.hasRoom(queue, count + (this.#openDelta.get(queue) ?? 0));
  }

  /** Finds a task to change. */
  find(id: string): CachedTask | undefined {
    const cached = this.cache.get(id);
    if (cached !== undefined) return cached;
    const row = this.statements.selectById.get(id);
    if (row === undefined) return undefined;
    const entry = entryOf(row);
    this.cache.set(id, entry);
    return entry;
  }

  /** Whether a task waits for its run time. */
  isWaiting({ task, isDirty, isWaiting }: CachedTask): boolean {
    return isDirty ? task.state === TaskState.PENDING && task.runTimeMs > this.moment.nowMs : isWaiting;
  }

  /** Gives facts their sequence and revision and inserts them; the task is written back at the end. */
  record(entry: CachedTask, facts: readonly EventFact[]): void {
    const { task } = entry;
    for (const fact of facts) {
      task.sequence += 1;
      this.insertEvent(entry, fact);
      this.tally.count(task, fact, entry.isRunning);
      if (fact.kind === "started") entry.isRunning = true;
    }
    if (facts.length === 0) return;
    entry.isRunning = task.state === TaskState.RUNNING;
    if (task.endedAttempt !== null) this.recordAttempt(task);
    entry.isDirty = true;
    this.#changed.add(entry);
  }

  /** Writes down the latest attempt as it ended. Call it before a change that makes the task's own fields tell of something else. */
  recordAttempt(task: TaskRecord): void {
    const attempt = attemptOf(task, this.moment.nowMs);
    task.endedAttempt = null;
    if (attempt === undefined) return;
    const { number, workerId, startTimeMs, endTimeMs, outcome, error } = attempt;
    if (endTimeMs === null) return;
    const errorJson = error === null ? null : JSON.stringify(error);
    this.statements.insertAttempt.run(task.key, number, workerId, startTimeMs, endTimeMs, outcome, errorJson);
  }

  /** Inserts one event at the task's present sequence. */
  insertEvent(entry: CachedTask, fact: EventFact): void {
    const { task, recorded: before } = entry;
    this.lastRevision += 1;
    const { lastRevision: revision, moment } = this;
    const { id: taskId, sequence, attempt } = task;
    // The row of a new task says so, too, and filters go by either.
    const timeMs = fact.kind === "created" ? task.createTimeMs : moment.nowMs;
    const after = { timeMs, state: stateAfter(fact, task.state), attempt };
    const body = encodeEvent({ revision, sequence, taskId, ...after }, fact);
    entry.recorded = after;
    // Watchers are told the plain one.
    const stored = isSecret(fact) ? this.ring.seal(body, eventContext(revision)) : body;
    this.statements.insertEvent.run(revision, task.key, sequence, stored);
    const isTerminalEvent = isTerminalFact(fact);
    this.#events.push({ revision, taskId, sequence, isTerminal: isTerminalEvent, body, before });
    if (isTerminalEvent) this.#countOpen(task.queue, -1);
    else if (fact.kind === "created" || fact.kind === "reopened") this.#countOpen(task.queue, 1);
  }

  /** Notes how a task stands now for those who are told of the commit. */
  announce(entry: CachedTask): void {
    const { task } = entry;
    this.#changes.push({
      id: task.id,
      key: task.key,
      queue: task.queue,
      type: task.type,
      priority: task.priority,
      labelsJson: entry.labelsJson,
      runTimeMs: task.runTimeMs,
      isWaiting: entry.isWaiting,
      state: task.state,
      attempt: task.attempt,
      workerId: task.workerId,
      isCancelRequested: task.cancelRequestTimeMs !== null,
      cancelReason: task.cancelReason,
    });
  }

  /** The rows of tasks that were chosen already. Flush before. */
  rowsOf(keys: readonly number[] | undefined): TaskRow[] | undefined {
    return keys?.flatMap((key) => this.statements.selectByKey.all(key));
  }

  /** Makes tasks due whose run time has come, or those with these keys. */
  makeDue(limit: number, keys?: readonly number[]): WriteResults["makeDue"] {
    this.flush();
    const rows = this.rowsOf(keys) ?? this.statements.selectWaitingDue.all(this.moment.nowMs, limit);
    for (const row of rows) {
      this.statements.clearWaiting.run(row.key);
      const entry = this.cache.get(row.id) ?? entryOf(row);
      entry.isWaiting = false;
      this.announce(entry);
    }
    return { count: rows.length, nextRunTimeMs: this.statements.selectNextWaiting.get()?.run_time ?? null };
  }

  /** Deletes finished tasks that have not changed since `beforeMs`, or those with these keys, with their events. */
  deleteFinished(beforeMs: number, limit: number, keys?: readonly number[]): WriteResults["deleteFinished"] {
    this.flush();
    const rows = this.rowsOf(keys) ?? this.statements.selectFinishedBefore.all(beforeMs, limit);
    let compacted = 0;
    for (const row of rows) {
      compacted = Math.max(compacted, this.statements.selectLastRevision.get(row.key)?.revision ?? 0);
      this.statements.deleteEvents.run(row.key);
      this.statements.deleteAttempts.run(row.key);
      this.statements.deleteTask.run(row.key);
      this.cache.delete(row.id);
    }
    if (rows.length > 0) {
      this.saveCounters();
      this.statements.raiseCompacted.run(compacted);
    }
    return { count: rows.length };
  }

  /** Remembers the counters, so that deleting the newest rows cannot make them go back. */
  saveCounters(): void {
    this.statements.saveCounters.run(this.lastKey, this.lastRevision);
  }

  /** Writes changed tasks back: the last step before the commit, and the first of a command that searches the database. */
  flush(): void {
    for (const entry of this.#changed) {
      this.#writeBack(entry);
      this.announce(entry);
    }
    this.#changed.clear();
  }

  /** What the transaction changed; after the commit. */
  commit(): Commit {
    this.#openTasks.add(this.#openDelta);
    return { revision: this.lastRevision, events: this.#events, changes: this.#changes, counts: [this.tally.counts()] };
  }

  #countOpen(queue: string, by: number): void {
    this.#openDelta.set(queue, (this.#openDelta.get(queue) ?? 0) + by);
  }

  #writeBack(entry: CachedTask): void {
    const { task } = entry;
    entry.isDirty = false;
    entry.isWaiting = task.state === TaskState.PENDING && task.runTimeMs > this.moment.nowMs;
    task.updateTimeMs = this.moment.nowMs;
    this.statements.updateTask.run(
      task.state,
      entry.isWaiting ? 1 : 0,
      task.resultJson === null ? null : this.ring.sealText(task.resultJson, resultContext(task.id)),
      task.error === null ? null : JSON.stringify(task.error),
      task.attempt,
      task.uncountedAttempts,
      task.maxAttempts,
      task.initialDelayMs,
      task.maximumDelayMs,
      task.multiplier,
      task.reportNumber,
      task.workerId,
      task.progress === null ? null : JSON.stringify(task.progress),
      task.updateTimeMs,
      task.startTimeMs,
      task.endTimeMs,
      task.runTimeMs,
      task.cancelRequestTimeMs,
      task.cancelReason,
      task.sequence,
      task.workerLosses,
      task.totalTimeoutMs,
      task.deadlineMs,
      task.retryCodes === null ? null : JSON.stringify(task.retryCodes),
      task.warnings.length === 0 ? null : JSON.stringify(task.warnings),
      task.key,
    );
    // A finished task is not asked for again; its result would only fill the cache.
    if (isTerminal(task.state)) this.cache.delete(task.id);
  }
}

function entryOf(row: TaskRow): CachedTask {
  return {
    // Answers are made of it: they carry no webhook, least of all a sealed one.
    task: { ...recordOf(row), webhookJson: null },
    labelsJson: row.labels,
    webhook: row.webhook ?? null,
    isWaiting: row.waiting === 1,
    isRunning: row.state === TaskState.RUNNING,
    isDirty: false,
    // A stored row is as its latest event left it.
    recorded: { state: row.state, attempt: row.attempt, timeMs: row.update_time },
  };
}

/** Whether it carries what the handler made of the payload. */
function isSecret({ kind }: EventFact): boolean {
  return kind === "completed" || kind === "output" || kind === "log";
}

/** The state a watcher should see at an event, even where one claim made several events. */
function stateAfter(fact: EventFact, state: TaskState): TaskState {
  switch (fact.kind) {
    case "created":
    case "retryScheduled":
    case "released":
    case "reopened":
      return TaskState.PENDING;
    case "started":
    case "progress":
    case "log":
    case "output":
    case "cancelDelivered":
    case "cancelAcknowledged":
    case "cancelGraceExpired":
    case "softLimitReached":
      return TaskState.RUNNING;
    case "completed":
      return TaskState.COMPLETED;
    case "failed":
      return TaskState.FAILED;
    case "cancelled":
      return TaskState.CANCELLED;
    case "cancelRequested":
    case "staleAttemptRejected":
      return isTerminal(state) ? TaskState.PENDING : state;
  }
}
