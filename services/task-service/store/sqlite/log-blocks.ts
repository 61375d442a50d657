import type { Database, Statement } from "better-sqlite3";
import { sql, type Compilable } from "kysely";
import { eventContext } from "#libs/sealing/contexts.js";
import type { KeyRing } from "#libs/sealing/key-ring.js";
import { eventHead, type EventHead } from "#task-service/store/log/event-head.js";
import type { TaskConstants } from "#task-service/store/log/log-selector.js";
import { createQueryBuilder } from "#task-service/store/query-builder.js";

const db = createQueryBuilder();
const bound = <T extends number | string>() => sql<T>`?`;

/** Revisions of a block. */
const BLOCK_REVISIONS = 1024;
const DEFAULT_CAPACITY_BYTES = 16 * 1024 * 1024;
/** Roughly what an entry costs beside its body. */
const ENTRY_BYTES = 400;

interface LogRow extends TaskConstants {
  readonly revision: number;
  readonly taskKey: number;
  readonly sequence: number;
  readonly body: Uint8Array;
}

interface Block {
  readonly entries: LogEntry[];
  /** Up to which revision it was read. */
  filledTo: number;
  bytes: number;
}

/** An event of the log, opened and looked into once, when it is first asked for. */
export class LogEntry {
  readonly task: TaskConstants;
  readonly taskKey: number;
  readonly revision: number;
  readonly sequence: number;
  readonly #stored: Uint8Array;
  readonly #ring: KeyRing;
  #body: Uint8Array | undefined;
  #head: EventHead | undefined;

  constructor(task: TaskConstants, row: LogRow, ring: KeyRing) {
    this.task = task;
    this.taskKey = row.taskKey;
    this.revision = row.revision;
    this.sequence = row.sequence;
    this.#stored = row.body;
    this.#ring = ring;
  }

  /** The encoded `taskwire.v1.TaskEvent`. Throws FAILED_PRECONDITION (`KEY_MISSING`) or DATA_LOSS (`SEAL_BROKEN`). */
  get body(): Uint8Array {
    return (this.#body ??= this.#ring.open(this.#stored, eventContext(this.revision)));
  }

  get head(): EventHead {
    return (this.#head ??= eventHead(this.body));
  }

  get bytes(): number {
    return this.#stored.length + ENTRY_BYTES;
  }
}

/**
 * The log in blocks of 1,024 revisions. Those used last are kept, up to 16 MiB, so that a thousand watchers that catch up read the database once.
 * Events never change, and what is deleted is behind the cursors that are still served.
 */
export class LogBlocks {
  readonly #ring: KeyRing;
  readonly #rows: Statement<[number, number], LogRow>;
  readonly #rowsOf: Statement<[string, number, number, number], LogRow>;
  readonly #capacityBytes: number;
  /** The one used last comes last. */
  readonly #blocks = new Map<number, Block>();
  #bytes = 0;

  constructor(database: Database, ring: KeyRing, capacityBytes: number = DEFAULT_CAPACITY_BYTES) {
    this.#ring = ring;
    this.#capacityBytes = capacityBytes;
    const prepare = <P extends unknown[], R>(query: Compilable) => database.prepare<P, R>(query.compile().sql);
    const rows = db
      .selectFrom("task_events as e")
      .innerJoin("tasks as t", "t.key", "e.task_key")
      .select(["e.revision", "e.task_key as taskKey", "e.sequence", "e.body"])
      .select(["t.id", "t.type", "t.queue", "t.priority", "t.labels as labelsJson"]);
    const inRange = (query: typeof rows) =>
      query.where("e.revision", ">", bound<number>()).where("e.revision", "<=", bound<number>()).orderBy("e.revision");
    this.#rows = prepare(inRange(rows));
    this.#rowsOf = prepare(
      inRange(rows.where(sql<boolean>`t.id in (select value from json_each(?))`)).limit(bound<number>()),
    );
  }

  /** The events after a revision up to another, which the log has reached. */
  *after(revision: number, upTo: number): Generator<LogEntry, void, undefined> {
    for (let number = Math.floor(revision / BLOCK_REVISIONS); number * BLOCK_REVISIONS < upTo; number += 1) {
      for (const entry of this.#block(number, upTo).entries) {
        if (entry.revision > upTo) return;
        if (entry.revision > revision) yield entry;
      }
    }
  }

  /** The same of a few tasks, at most so many, read by index. */
  of(ids: ReadonlySet<string>, revision: number, upTo: number, limit: number): LogEntry[] {
    return this.#rowsOf
      .all(JSON.stringify([...ids]), revision, upTo, limit)
      .map((row) => new LogEntry(row, row, this.#ring));
  }

  #block(number: number, lastRevision: number): Block {
    const begin = number * BLOCK_REVISIONS;
    const block = this.#blocks.get(number) ?? { entries: [], filledTo: begin, bytes: 0 };
    const end = Math.min(begin + BLOCK_REVISIONS, lastRevision);
    if (block.filledTo < end) this.#fill(block, end);
    this.#blocks.delete(number);
    this.#blocks.set(number, block);
    for (const [oldest, { bytes }] of this.#blocks) {
      if (this.#bytes <= this.#capacityBytes || oldest === number) break;
      this.#blocks.delete(oldest);
      this.#bytes -= bytes;
    }
    return block;
  }

  #fill(block: Block, end: number): void {
    const tasks = new Map<number, TaskConstants>();
    for (const row of this.#rows.all(block.filledTo, end)) {
      const { id, type, queue, priority, labelsJson } = row;
      const task = tasks.get(row.taskKey) ?? { id, type, queue, priority, labelsJson };
      tasks.set(row.taskKey, task);
      const entry = new LogEntry(task, row, this.#ring);
      block.entries.push(entry);
      block.bytes += entry.bytes;
      this.#bytes += entry.bytes;
    }
    block.filledTo = end;
  }
}
