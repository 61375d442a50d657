import type { Database } from "better-sqlite3";
import { errorMessage } from "#libs/errors/error-message.js";
import { KeyRing, NO_KEYS, type RingKeys } from "#libs/sealing/key-ring.js";
import { lockDatabase, openForWriting } from "#task-service/store/sqlite/open-database.js";
import { OpenTasks } from "#task-service/store/sqlite/open-tasks.js";
import { runCommand } from "#task-service/store/sqlite/run-command.js";
import { runMigrations } from "#task-service/store/sqlite/run-migrations.js";
import { sqliteTrouble } from "#task-service/store/sqlite/sqlite-trouble.js";
import { splitCommand, type SplitCommand } from "#task-service/store/sqlite/split-command.js";
import { Transaction } from "#task-service/store/sqlite/transaction.js";
import { liveTrialLife } from "#task-service/store/sqlite/trial-life.js";
import { prepareWriterStatements, type WriterStatements } from "#task-service/store/sqlite/statements.js";
import type { OpenCount } from "#task-service/store/store-statistics.js";
import { toRefusal } from "#task-service/store/thread-refusal.js";
import { TaskCache } from "#task-service/store/sqlite/task-cache.js";
import type { WriteCommand, WriteGroup, WriteReply } from "#task-service/store/write-command.js";

type Outcome = WriteReply["results"][number];

/** What a SQLite store needs to know. */
export interface SqliteOptions {
  /** The database file; its folder is made. */
  readonly path: string;
  /** Most unfinished tasks of one queue. */
  readonly queueCapacity: number;
  /** The queue of the tasks that tell of ended ones; default: that of the task that ended. */
  readonly webhookQueue?: string;
  /** What payloads, results and some events are sealed with; default: nothing is. */
  readonly keys?: RingKeys;
}

/** The one writer of a SQLite database: applies groups of commands, each group one transaction. Synchronous; lives in a thread. */
export class SqliteWriter {
  readonly #lock: Database;
  readonly #database: Database;
  readonly #statements: WriterStatements;
  readonly #cache = new TaskCache();
  readonly #openTasks: OpenTasks;
  readonly #ring: KeyRing;
  readonly #webhookQueue: string;
  /** What the database held when it was opened. */
  readonly openCounts: readonly OpenCount[];
  #lastKey: number;
  #lastRevision: number;

  /** Locks, opens and migrates the database. Throws with a message for people. */
  constructor({ path, queueCapacity, webhookQueue = "", keys = NO_KEYS }: SqliteOptions) {
    this.#ring = new KeyRing(keys);
    this.#webhookQueue = webhookQueue;
    this.#lock = lockDatabase(path);
    try {
      this.#database = openForWriting(path);
      runMigrations(this.#database, Date.now());
    } catch (error) {
      this.#lock.close();
      throw error;
    }
    this.#statements = prepareWriterStatements(this.#database);
    const counters = this.#statements.selectCounters.get();
    this.#lastKey = Math.max(counters?.last_key ?? 0, this.#statements.selectMaxKey.get()?.value ?? 0);
    this.#lastRevision = Math.max(counters?.last_revision ?? 0, this.#statements.selectMaxRevision.get()?.value ?? 0);
    // SQLite opens a file that it may not write all the same, and would never write it later.
    this.#statements.saveCounters.run(this.#lastKey, this.#lastRevision);
    this.openCounts = this.#statements.countOpen.all();
    const open = this.openCounts.map(({ queue, open: count }) => [queue, count] as const);
    this.#openTasks = new OpenTasks(queueCapacity, open);
  }

  /**
   * Applies a group in one transaction. If a command makes that fail, or a damaged page that one of them needs, each gets a transaction
   * of its own, so that one cannot harm another, and a command about many tasks is taken apart; if the database as a whole is in trouble,
   * all have failed.
   */
  apply(group: WriteGroup): WriteReply {
    const transaction = this.#begin(group.nowMs);
    try {
      const results = this.#commit(transaction, group.commands);
      return { results, commit: transaction.commit() };
    } catch (error) {
      this.#cache.clear();
      const trouble = sqliteTrouble(error);
      const isForAll = trouble !== undefined && trouble !== "DATABASE_CORRUPT";
      if (isForAll) return this.#failed(group, error);
      // Otherwise SQLite goes on with the damaged page in its cache after the file was repaired.
      if (trouble !== undefined) this.#database.pragma("shrink_memory");
      if (group.commands.length === 1) return this.#applyInParts(group, error);
    }
    const replies = group.commands.map((command) => this.apply({ commands: [command], nowMs: group.nowMs }));
    return { results: replies.flatMap((reply) => reply.results), commit: this.#commitOf(replies) };
  }

  /** Applies what can be of a command about many tasks, some of which are on a damaged page. */
  #applyInParts(group: WriteGroup, error: unknown): WriteReply {
    const split = sqliteTrouble(error) === "DATABASE_CORRUPT" ? this.#split(group) : undefined;
    if (split === undefined) return this.#failed(group, error);
    const replies = split.parts.map((part) => this.apply({ commands: [part], nowMs: group.nowMs }));
    const results = replies.flatMap((reply) => reply.results);
    const refused = results.find((result) => !result.ok && result.trouble !== "DATABASE_CORRUPT");
    const answers = results.flatMap((result) => (result.ok ? [result.value] : []));
    const failed = results.length - answers.length;
    if (failed === split.losesAllAt && !this.#takesTasks(group.nowMs)) return this.#failed(group, error);
    const value = split.merge(answers, failed);
    // Parts that were committed are repeated with the others then, which changes nothing.
    return { results: [refused ?? { ok: true, value }], commit: this.#commitOf(replies) };
  }

  #split({ commands: [command], nowMs }: WriteGroup): SplitCommand | undefined {
    if (command === undefined) return undefined;
    try {
      return splitCommand(command, { ring: this.#ring, nowMs, statements: this.#statements });
    } catch {
      return undefined;
    }
  }

  /** Whether a task can live its whole life here: then whatever else cannot be written is on damaged pages of its own. */
  #takesTasks(nowMs: number): boolean {
    try {
      this.#database.exec("BEGIN IMMEDIATE");
      liveTrialLife(this.#begin(nowMs));
      return true;
    } catch {
      return false;
    } finally {
      if (this.#database.inTransaction) this.#database.exec("ROLLBACK");
      this.#cache.clear();
      this.#database.pragma("shrink_memory");
    }
  }

  #commitOf(replies: readonly WriteReply[]): WriteReply["commit"] {
    return {
      revision: this.#lastRevision,
      events: replies.flatMap((reply) => reply.commit.events),
      changes: replies.flatMap((reply) => reply.commit.changes),
      counts: replies.flatMap((reply) => reply.commit.counts),
    };
  }

  /** Moves what the write-ahead log holds into the database file and closes. */
  close(): void {
    this.#database.pragma("wal_checkpoint(TRUNCATE)");
    this.#database.close();
    this.#lock.close();
  }

  #begin(nowMs: number): Transaction {
    return new Transaction({
      statements: this.#statements,
      cache: this.#cache,
      nowMs,
      lastKey: this.#lastKey,
      lastRevision: this.#lastRevision,
      openTasks: this.#openTasks,
      webhookQueue: this.#webhookQueue,
      ring: this.#ring,
    });
  }

  #commit(transaction: Transaction, commands: readonly WriteCommand[]): Outcome[] {
    this.#database.exec("BEGIN IMMEDIATE");
    try {
      const results = commands.map((command): Outcome => ({ ok: true, value: runCommand(transaction, command) }));
      transaction.flush();
      this.#database.exec("COMMIT");
      this.#lastKey = transaction.lastKey;
      this.#lastRevision = transaction.lastRevision;
      return results;
    } catch (error) {
      if (this.#database.inTransaction) this.#database.exec("ROLLBACK");
      throw error;
    }
  }

  #failed({ commands }: WriteGroup, error: unknown): WriteReply {
    const trouble = sqliteTrouble(error, this.#database.name);
    const message = errorMessage(error);
    const refusal = toRefusal(error);
    return {
      results: commands.map(() => ({ ok: false, trouble, message, refusal })),
      commit: { revision: this.#lastRevision, events: [], changes: [], counts: [] },
    };
  }
}
