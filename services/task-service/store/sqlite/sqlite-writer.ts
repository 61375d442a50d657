import type { Database } from "better-sqlite3";
import { errorMessage } from "#libs/errors/error-message.js";
import type { EventFact } from "#libs/tasks/event-fact.js";
import { expireLease, requestCancel } from "#libs/tasks/decide.js";
import { applyBatches } from "#task-service/store/sqlite/apply-batches.js";
import { createTasks } from "#task-service/store/sqlite/create-tasks.js";
import { lockDatabase, openForWriting } from "#task-service/store/sqlite/open-database.js";
import { runMigrations } from "#task-service/store/sqlite/run-migrations.js";
import { Transaction } from "#task-service/store/sqlite/transaction.js";
import { prepareWriterStatements, type WriterStatements } from "#task-service/store/sqlite/statements.js";
import { TaskCache } from "#task-service/store/sqlite/task-cache.js";
import type { WriteCommand, WriteGroup, WriteReply } from "#task-service/store/write-command.js";

type Outcome = WriteReply["results"][number];

/** The one writer of a SQLite database: applies groups of commands, each group one transaction. Synchronous; lives in a thread. */
export class SqliteWriter {
  readonly #lock: Database;
  readonly #database: Database;
  readonly #statements: WriterStatements;
  readonly #cache = new TaskCache();
  #lastKey: number;
  #lastRevision: number;

  /** Locks, opens and migrates the database. Throws with a message for people. */
  constructor(path: string) {
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
  }

  /** Applies a group in one transaction. If that fails, each command gets a transaction of its own, so that one cannot harm another. */
  apply(group: WriteGroup): WriteReply {
    const transaction = this.#begin(group.nowMs);
    try {
      const results = this.#commit(transaction, group.commands);
      return { results, commit: transaction.commit() };
    } catch (error) {
      this.#cache.clear();
      if (group.commands.length === 1) return this.#failed(error);
    }
    const replies = group.commands.map((command) => this.apply({ commands: [command], nowMs: group.nowMs }));
    return {
      results: replies.flatMap((reply) => reply.results),
      commit: {
        revision: this.#lastRevision,
        events: replies.flatMap((reply) => reply.commit.events),
        changes: replies.flatMap((reply) => reply.commit.changes),
      },
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
    });
  }

  #commit(transaction: Transaction, commands: readonly WriteCommand[]): Outcome[] {
    this.#database.exec("BEGIN IMMEDIATE");
    try {
      const results = commands.map((command): Outcome => ({ ok: true, value: run(transaction, command) }));
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

  #failed(error: unknown): WriteReply {
    return {
      results: [{ ok: false, message: errorMessage(error) }],
      commit: { revision: this.#lastRevision, events: [], changes: [] },
    };
  }
}

function run(transaction: Transaction, command: WriteCommand): unknown {
  switch (command.kind) {
    case "create":
      return createTasks(transaction, command.tasks);
    case "applyReports":
      return applyBatches(transaction, command.batches);
    case "requestCancel":
      return cancel(transaction, command);
    case "expireLeases": {
      let expired = 0;
      for (const lease of command.leases) {
        const entry = transaction.find(lease.id);
        if (entry === undefined) continue;
        const facts: EventFact[] = [];
        if (!expireLease(entry.task, lease.workerId, lease.attempt, transaction.moment, facts)) continue;
        transaction.record(entry, facts);
        expired += 1;
      }
      return { expired };
    }
    case "endOldCancels": {
      const rows = transaction.statements.selectOldCancels.all(command.beforeMs, command.limit);
      for (const { id } of rows) cancel(transaction, { kind: "requestCancel", id, reason: "", mayBeWithWorker: false });
      return { count: rows.length };
    }
    case "makeDue":
      return transaction.makeDue(command.limit);
    case "deleteFinished":
      return transaction.deleteFinished(command.beforeMs, command.limit);
    case "probe":
      transaction.saveCounters();
      return {};
  }
}

function cancel(transaction: Transaction, command: Extract<WriteCommand, { kind: "requestCancel" }>): unknown {
  const entry = transaction.find(command.id);
  if (entry === undefined) return { verdict: "notFound", task: null };
  const facts: EventFact[] = [];
  const verdict = requestCancel(entry.task, command.reason, command.mayBeWithWorker, transaction.moment, facts);
  transaction.record(entry, facts);
  return { verdict, task: entry.task };
}
