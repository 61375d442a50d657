import { Worker } from "node:worker_threads";
import { deferred, type Deferred } from "#libs/async/deferred.js";
import { TaskwireError } from "#libs/errors/taskwire-error.js";
import { databaseError } from "#task-service/store/database-trouble.js";
import { endProcess } from "#task-service/store/sqlite/end-process.js";
import type { Commit } from "#task-service/store/commit.js";
import {
  packGroup,
  unpackReply,
  type WriterRequest,
  type WriterResponse,
} from "#task-service/store/sqlite/writer-protocol.js";
import type { StoreStatistics } from "#task-service/store/store-statistics.js";
import type { SqliteOptions } from "#task-service/store/sqlite/sqlite-writer.js";
import type { ResultOf, WriteCommand } from "#task-service/store/write-command.js";

interface Waiting {
  readonly command: WriteCommand;
  readonly result: Deferred<unknown>;
}

const MAX_GROUP_COMMANDS = 2000;
/** Beyond this many waiting commands new ones are refused: the disk does not keep up. */
const MAX_WAITING_COMMANDS = 20_000;

/**
 * The writer's thread seen from outside. Commands that arrive while a group is being committed form the next group: no timers, no
 * fixed size, no added wait when idle.
 */
export class GroupWriter {
  readonly #options: SqliteOptions;
  readonly #statistics: StoreStatistics;
  readonly #onCommit: (commit: Commit) => void;
  #thread: Worker | undefined;
  #waiting: Waiting[] = [];
  #underWay: Waiting[] = [];
  #sentAtMs = 0;
  #isScheduled = false;
  #failure: Error | undefined;
  #isExpectedToRun = false;
  #exit: Promise<void> = Promise.resolve();

  constructor(options: SqliteOptions, statistics: StoreStatistics, onCommit: (commit: Commit) => void) {
    this.#options = options;
    this.#statistics = statistics;
    this.#onCommit = onCommit;
  }

  /** Starts the thread; rejects with the reason when it cannot open the database. */
  async start(): Promise<void> {
    const thread = new Worker(new URL("./writer-thread.js", import.meta.url), { workerData: this.#options });
    const ready = deferred<void>();
    const exited = deferred<void>();
    this.#exit = exited.promise;
    thread.on("message", (response: WriterResponse) => {
      if (response.kind === "ready") {
        this.#statistics.begin(response.open);
        ready.resolve();
      } else if (response.kind === "failed") ready.reject(new Error(response.message));
      else this.#onReply(response);
    });
    thread.on("error", (error) => {
      this.#fail(error);
      ready.reject(error);
    });
    thread.on("exit", () => {
      this.#fail(new Error("the database thread has ended"));
      exited.resolve();
    });
    this.#thread = thread;
    await ready.promise;
    this.#isExpectedToRun = true;
  }

  /**
   * Hands a command to the writer; resolves after its commit. Rejects with UNAVAILABLE and a {@link DatabaseTrouble} as its reason when it
   * could not be committed, RESOURCE_EXHAUSTED (`WRITE_QUEUE_FULL`) when too many wait, with another error when the command is at fault.
   */
  write<C extends WriteCommand>(command: C): Promise<ResultOf<C>> {
    if (this.#failure !== undefined)
      return Promise.reject(databaseError("DATABASE_UNAVAILABLE", this.#failure.message));
    if (this.#waiting.length >= MAX_WAITING_COMMANDS) return Promise.reject(writeQueueFull());
    const result = deferred<unknown>();
    this.#waiting.push({ command, result });
    if (!this.#isScheduled && this.#underWay.length === 0) {
      this.#isScheduled = true;
      setImmediate(() => {
        this.#isScheduled = false;
        this.#send();
      });
    }
    return result.promise as Promise<ResultOf<C>>;
  }

  /** Commits what waits, then closes the database. */
  async stop(): Promise<void> {
    this.#isExpectedToRun = false;
    const pending = [...this.#underWay, ...this.#waiting].map((waiting) => waiting.result.promise);
    await Promise.allSettled(pending);
    this.#post({ kind: "close" });
    await this.#exit;
  }

  #send(): void {
    if (this.#waiting.length === 0 || this.#underWay.length > 0 || this.#failure !== undefined) return;
    this.#underWay = this.#waiting.splice(0, MAX_GROUP_COMMANDS);
    const commands = this.#underWay.map((waiting) => waiting.command);
    this.#sentAtMs = performance.now();
    this.#post({ kind: "group", group: packGroup({ commands, nowMs: Date.now() }) });
  }

  #onReply(response: Extract<WriterResponse, { kind: "reply" }>): void {
    const { results, commit } = unpackReply(response.reply);
    const done = this.#underWay;
    this.#underWay = [];
    this.#statistics.groupSizes.observe(done.length);
    this.#statistics.commitSeconds.observe((performance.now() - this.#sentAtMs) / 1000);
    for (const counts of commit.counts) this.#statistics.add(counts);
    this.#send();
    for (const [index, waiting] of done.entries()) {
      const result = results[index];
      if (result?.ok === true) waiting.result.resolve(result.value);
      else if (result?.refusal !== undefined) waiting.result.reject(new TaskwireError(result.refusal));
      else if (result?.trouble !== undefined) waiting.result.reject(databaseError(result.trouble, result.message));
      else waiting.result.reject(new Error(`the writer could not apply a command: ${result?.message ?? "no answer"}`));
    }
    if (commit.events.length > 0 || commit.changes.length > 0) this.#onCommit(commit);
  }

  #post(request: WriterRequest): void {
    this.#thread?.postMessage(request);
  }

  #fail(error: Error): void {
    if (this.#isExpectedToRun) endProcess(error);
    this.#isExpectedToRun = false;
    this.#failure ??= error;
    for (const waiting of [...this.#underWay, ...this.#waiting])
      waiting.result.reject(databaseError("DATABASE_UNAVAILABLE", error.message));
    this.#underWay = [];
    this.#waiting = [];
  }
}

function writeQueueFull(): TaskwireError {
  return new TaskwireError({
    code: "RESOURCE_EXHAUSTED",
    reason: "WRITE_QUEUE_FULL",
    message: "too many changes wait for the database; try again",
    retryAfterMs: 1000,
  });
}
