import type { BusConnection } from "#libs/bus/bus-connection.js";
import type { Logger } from "#libs/log/logger.js";
import type { TaskStore } from "#task-service/store/task-store.js";

/** What an {@link OverdueTasks} works with. */
export interface OverdueTasksOptions {
  readonly store: TaskStore;
  readonly bus: BusConnection;
  readonly logger: Logger;
  /** Keeps a task from being dispatched; returns whether it may be with a worker already. */
  readonly holdBack: (id: string) => boolean;
  readonly letGo: (id: string, queue: string) => void;
  /** Takes the dispatch out of NATS; true only if it is certain that no worker was handed it. */
  readonly withdraw: (id: string) => Promise<boolean>;
  /** Takes the dispatch out of NATS, whoever was handed it. */
  readonly discard: (id: string) => Promise<void>;
  /** A task that was dispatched and not started for so long after its deadline is taken for one that nobody started. */
  readonly patienceMs: number;
}

const TASKS_PER_ROUND = 500;

/** Ends tasks whose next attempt would start after their deadline. */
export class OverdueTasks {
  readonly #options: OverdueTasksOptions;

  constructor(options: OverdueTasksOptions) {
    this.#options = options;
  }

  /** One round. */
  async runOnce(): Promise<void> {
    const { store, holdBack, letGo, logger } = this.#options;
    const overdue = await store.read({ kind: "readOverdue", nowMs: Date.now(), limit: TASKS_PER_ROUND });
    if (overdue.length === 0) return;
    const ids: string[] = [];
    try {
      for (const { id, deadlineMs } of overdue) {
        const mayBeWithWorker = holdBack(id);
        if (!mayBeWithWorker || (await this.#isUntaken(id, deadlineMs))) ids.push(id);
      }
      const { expired } = await store.write({ kind: "expireDeadlines", ids });
      if (expired > 0) logger.warn({ count: expired }, "total timeouts passed");
    } finally {
      for (const { id, queue } of overdue) letGo(id, queue);
    }
  }

  async #isUntaken(id: string, deadlineMs: number): Promise<boolean> {
    const { bus, withdraw, discard, patienceMs } = this.#options;
    if (!bus.connected) return false;
    if (await withdraw(id)) return true;
    if (deadlineMs >= Date.now() - patienceMs) return false;
    await discard(id);
    return true;
  }
}
