import { Worker } from "node:worker_threads";
import { deferred, type Deferred } from "#libs/async/deferred.js";
import { TaskwireError } from "#libs/errors/taskwire-error.js";
import { databaseError } from "#task-service/store/database-trouble.js";
import { endProcess } from "#task-service/store/sqlite/end-process.js";
import type { AnswerTo, ReadQuery } from "#task-service/store/read-query.js";
import type { ReaderRequest, ReaderResponse, ReaderSetup } from "#task-service/store/sqlite/reader-thread.js";

interface Waiting {
  readonly query: ReadQuery;
  readonly answer: Deferred<unknown>;
}

const MAX_WAITING_QUERIES = 20_000;
/** Queries of one message to the thread: enough to spread its cost, few enough not to hold up the next caller. */
const MAX_QUERIES_PER_MESSAGE = 64;

/** A reader's thread seen from outside. Queries that arrive while others are answered travel together. */
export class ReaderThread {
  readonly #thread: Worker;
  readonly #exit = deferred<void>();
  #waiting: Waiting[] = [];
  #underWay: Waiting[] = [];
  #failure: Error | undefined;
  #isExpectedToRun = true;

  constructor(setup: ReaderSetup) {
    this.#thread = new Worker(new URL("./reader-thread.js", import.meta.url), { workerData: setup });
    this.#thread.on("message", (response: ReaderResponse) => {
      this.#onResponse(response);
    });
    this.#thread.on("error", (error) => {
      this.#fail(error);
    });
    this.#thread.on("exit", () => {
      this.#fail(new Error("the database thread has ended"));
      this.#exit.resolve();
    });
  }

  /**
   * Asks; rejects with UNAVAILABLE (`DATABASE_CORRUPT` or `DATABASE_UNAVAILABLE`), RESOURCE_EXHAUSTED (`READ_QUEUE_FULL`) when too many wait, or
   * FAILED_PRECONDITION (`KEY_MISSING`) when the answer is sealed with a key that is not here.
   */
  ask<Q extends ReadQuery>(query: Q): Promise<AnswerTo<Q>> {
    if (this.#failure !== undefined) return Promise.reject(readFailed(this.#failure.message));
    if (this.#waiting.length >= MAX_WAITING_QUERIES) return Promise.reject(readQueueFull());
    const answer = deferred<unknown>();
    this.#waiting.push({ query, answer });
    this.#send();
    return answer.promise as Promise<AnswerTo<Q>>;
  }

  /** Answers what was asked, then closes. */
  async stop(): Promise<void> {
    this.#isExpectedToRun = false;
    await Promise.allSettled([...this.#underWay, ...this.#waiting].map((waiting) => waiting.answer.promise));
    this.#post({ kind: "close" });
    await this.#exit.promise;
  }

  #send(): void {
    if (this.#underWay.length > 0 || this.#waiting.length === 0) return;
    this.#underWay = this.#waiting.splice(0, MAX_QUERIES_PER_MESSAGE);
    this.#post({ kind: "queries", queries: this.#underWay.map((waiting) => waiting.query) });
  }

  #onResponse(response: ReaderResponse): void {
    const done = this.#underWay;
    this.#underWay = [];
    this.#send();
    for (const [index, waiting] of done.entries()) {
      const answer = response[index];
      if (answer?.ok === true) waiting.answer.resolve(answer.value);
      else if (answer?.refusal !== undefined) waiting.answer.reject(new TaskwireError(answer.refusal));
      else if (answer?.isCorrupt === true) waiting.answer.reject(databaseError("DATABASE_CORRUPT", answer.message));
      else waiting.answer.reject(readFailed(answer?.message ?? "no answer"));
    }
  }

  #post(request: ReaderRequest): void {
    this.#thread.postMessage(request);
  }

  #fail(error: Error): void {
    if (this.#isExpectedToRun) endProcess(error);
    this.#isExpectedToRun = false;
    this.#failure ??= error;
    for (const waiting of [...this.#underWay, ...this.#waiting]) waiting.answer.reject(readFailed(error.message));
    this.#underWay = [];
    this.#waiting = [];
  }
}

function readFailed(detail: string): TaskwireError {
  return new TaskwireError({
    code: "UNAVAILABLE",
    reason: "DATABASE_UNAVAILABLE",
    message: "the database could not be read; try again",
    retryAfterMs: 1000,
    cause: new Error(detail),
  });
}

function readQueueFull(): TaskwireError {
  return new TaskwireError({
    code: "RESOURCE_EXHAUSTED",
    reason: "READ_QUEUE_FULL",
    message: "too many reads wait for the database; try again",
    retryAfterMs: 1000,
  });
}
