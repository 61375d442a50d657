import type { BusConnection } from "#libs/bus/bus-connection.js";
import type { Logger } from "#libs/log/logger.js";
import { AttemptConfirmation, ConfirmAttempt } from "#libs/proto/gen/taskwire/bus/v1/worker.js";
import type { Service } from "#libs/service/service.js";
import { TaskState } from "#libs/tasks/task-state.js";
import type { TaskStore } from "#task-service/store/task-store.js";

/**
 * Answers workers that were handed an old dispatch: JetStream hands out again what was not acknowledged, though the attempt may have run
 * meanwhile, or its task been cancelled. Says nothing while the database cannot be read; the worker gives the dispatch back then.
 */
export class AttemptConfirmer implements Service {
  readonly #bus: BusConnection;
  readonly #store: TaskStore;
  readonly #logger: Logger;
  #unsubscribe: (() => void) | undefined;

  constructor(options: { readonly bus: BusConnection; readonly store: TaskStore; readonly logger: Logger }) {
    this.#bus = options.bus;
    this.#store = options.store;
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
    return Promise.resolve();
  }

  async #answer(data: Uint8Array, respond: (answer: Uint8Array) => void): Promise<void> {
    const { taskId, attempt } = ConfirmAttempt.decode(data);
    const task = await this.#store.read({ kind: "getTask", id: taskId, isFull: false });
    const waits = task?.state === TaskState.PENDING && task.cancelRequestTimeMs === null;
    respond(AttemptConfirmation.encode({ isWanted: waits && attempt === task.attempt + 1 }).finish());
  }
}
