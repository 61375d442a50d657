import type { Logger } from "#libs/log/logger.js";
import type { DueTask } from "#task-service/store/task-record.js";

/** Due tasks whose payload cannot be opened. They wait in the database, until the task-service is started with their key. */
export class LockedTasks {
  readonly #logger: Logger;
  readonly #named = new Set<string>();

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** Whether a task that was read is such a one. Said in the log once for every key, and for every task whose payload is broken. */
  has(due: DueTask): boolean {
    const { id, lockedBy: keyId } = due;
    if (keyId === undefined) return false;
    const cause = keyId === "" ? id : keyId;
    if (this.#named.has(cause)) return true;
    this.#named.add(cause);
    if (keyId === "") this.#logger.error({ taskId: id }, "payload is broken, the task waits");
    else this.#logger.error({ keyId, taskId: id }, "encryption key is missing, its tasks wait");
    return true;
  }
}
