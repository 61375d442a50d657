import type { BusConnection } from "#libs/bus/bus-connection.js";
import type { Logger } from "#libs/log/logger.js";
import { AttemptConfirmation, ConfirmAttempt } from "#libs/proto/gen/taskwire/bus/v1/worker.js";
import type { Service } from "#libs/service/service.js";
import { TaskState } from "#libs/tasks/task-state.js";
import type { TaskStore } from "#task-service/store/task-store.js";

/** What an {@link AttemptConfirmer} works with. */
export interface AttemptConfirmerOptions {
  readonly bus: BusConnection;
  readonly store: TaskStore;
  /** Resolves when every report that is in JetStream now has been applied; false: not in that time. */
  readonly catchUp: (timeoutMs: number, signal: AbortSignal) => Promise<boolean>;
  readonly logger: Logger;
}

/** Well within what workers wait for an answer. */
const CATCH_UP_MS = 1500;

/**
 * Answers workers that were handed an old dispatch: JetStream hands out again what was not acknowledged, though the attempt may have run
 * meanwhile, or its task been cancelled. Reports that JetStream had before the question count, so they are applied first. Says nothing while they
 * cannot be, or the database cannot be read; the worker gives the dispatch back then.
 */
export class AttemptConfirmer implements Service {
  readonly #bus: BusConnection;
  readonly #store: TaskStore;
  readonly #catchUp: AttemptConfirmerOptions["catchUp"];
  readonly #logger: Logger;
  readonly #stopping = new AbortController();
  #unsubscribe: (() => void) | undefined;
  #looking: Promise<boolean> = Promise.resolve(true);
  #nextLook: Promise<boolean> | undefined;

  constructor(options: AttemptConfirmerOptions) {
    this.#bus = options.bus;
    this.#store = options.store;
    this.#catchUp = options.catchUp;
    this.#logger = options.logger;
  }

  start(): Promise<void> {
    this.#unsubscribe = this.#bus.listen(this.#bus.subjects.confirm, (data, respond) => {
      this.#answer(data, respond).catch((error: unknown) => {
        this.#logger.warn({ err: error }, "a worker's question could not be answered");
      });
    });
    return Promise.resolve();
  }

  stop(): Promise<void> {
    this.#unsubscribe?.();
    this.#unsubscribe = undefined;
    this.#stopping.abort();
    return Promise.resolve();
  }

  async #answer(data: Uint8Array, respond: (answer: Uint8Array) => void): Promise<void> {
    const { taskId, attempt } = ConfirmAttempt.decode(data);
    if (!(await this.#haveReports())) return;
    const task = await this.#store.read({ kind: "getTask", id: taskId, isFull: false });
    const waits = task?.state === TaskState.PENDING && task.cancelRequestTimeMs === null;
    respond(AttemptConfirmation.encode({ isWanted: waits && attempt === task.attempt + 1 }).finish());
  }

  /** Whether the reports of before this call have been applied. Those who ask while others wait share the next look. */
  #haveReports(): Promise<boolean> {
    this.#nextLook ??= this.#looking
      .catch(() => false)
      .then(() => {
        this.#nextLook = undefined;
        this.#looking = this.#catchUp(CATCH_UP_MS, this.#stopping.signal);
        return this.#looking;
      });
    return this.#nextLook;
  }
}
