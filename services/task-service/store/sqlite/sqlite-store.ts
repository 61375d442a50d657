import { FewAtOnce } from "#libs/async/few-at-once.js";
import { NO_KEYS } from "#libs/sealing/key-ring.js";
import type { Commit } from "#task-service/store/commit.js";
import type { AnswerTo, ReadQuery } from "#task-service/store/read-query.js";
import { GroupWriter } from "#task-service/store/sqlite/group-writer.js";
import { ReaderThread } from "#task-service/store/sqlite/reader-client.js";
import type { SqliteOptions } from "#task-service/store/sqlite/sqlite-writer.js";
import { StoreStatistics } from "#task-service/store/store-statistics.js";
import type { TaskStore } from "#task-service/store/task-store.js";
import type { ResultOf, WriteCommand } from "#task-service/store/write-command.js";

const PAGES_AT_ONCE = 2;

/** Which thread answers a query; the others are quick. */
const READERS: Partial<Record<ReadQuery["kind"], "list" | "log">> = {
  listTasks: "list",
  readSituation: "list",
  readSelected: "list",
  readLog: "log",
  readEvents: "log",
  readLatestEvents: "log",
};

/**
 * A {@link TaskStore} on one SQLite file: a thread that writes, one for quick reads, one for lists and counts, and one for watchers, who may be
 * many and far behind.
 */
export class SqliteStore implements TaskStore {
  readonly statistics = new StoreStatistics();
  readonly #options: SqliteOptions;
  readonly #listeners: ((commit: Commit) => void)[] = [];
  readonly #writer: GroupWriter;
  #quickReader: ReaderThread | undefined;
  #listReader: ReaderThread | undefined;
  #logReader: ReaderThread | undefined;
  readonly #pages = new FewAtOnce(PAGES_AT_ONCE);
  #revision = 0;

  /** Nothing is opened before {@link start}, which runs migrations and keeps a lock file beside the database. */
  constructor(options: SqliteOptions) {
    this.#options = options;
    this.#writer = new GroupWriter(options, this.statistics, (commit) => {
      this.#revision = commit.revision;
      for (const listener of this.#listeners) listener(commit);
    });
  }

  get revision(): number {
    return this.#revision;
  }

  async start(): Promise<void> {
    const { path, keys = NO_KEYS } = this.#options;
    await this.#writer.start();
    this.#quickReader = new ReaderThread({ path, keys });
    this.#listReader = new ReaderThread({ path, keys });
    this.#logReader = new ReaderThread({ path, keys });
    this.#revision = await this.read({ kind: "lastRevision" });
  }

  async stop(): Promise<void> {
    await Promise.all([this.#quickReader?.stop(), this.#listReader?.stop(), this.#logReader?.stop()]);
    this.#quickReader = undefined;
    this.#listReader = undefined;
    this.#logReader = undefined;
    await this.#writer.stop();
  }

  write<C extends WriteCommand>(command: C): Promise<ResultOf<C>> {
    return this.#writer.write(command);
  }

  read<Q extends ReadQuery>(query: Q): Promise<AnswerTo<Q>> {
    const reader = this.#readerOf(query);
    if (reader === undefined) throw new Error("the store has not started");
    // Others in this thread wait for a few pages at most, however many watchers catch up.
    return query.kind === "readLog" ? this.#pages.run(() => reader.ask(query)) : reader.ask(query);
  }

  #readerOf({ kind }: ReadQuery): ReaderThread | undefined {
    const reader = READERS[kind];
    if (reader === undefined) return this.#quickReader;
    return reader === "list" ? this.#listReader : this.#logReader;
  }

  onCommit(listener: (commit: Commit) => void): void {
    this.#listeners.push(listener);
  }
}
