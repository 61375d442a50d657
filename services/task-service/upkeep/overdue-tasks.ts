import type { BusConnection } from "#libs/bus/bus-connection.js";
import type { Logger } from "#libs/log/logger.js";
import type { OverdueTask } from "#task-service/store/task-record.js";
import type { TaskStore } from "#task-service/store/task-store.js";
import type { UnstartedTask, WithWorker } from "#task-service/store/write-command.js";

/** What an {@link OverdueTasks} works with. */
export interface OverdueTasksOptions {
  readonly store: TaskStore;
  readonly bus: BusConnection;
  readonly logger: Logger;
  /** Keeps a task from being dispatched; returns the attempt of it that may be with a worker already. */
  readonly holdBack: (id: string, key: number) => WithWorker;
  readonly letGo: (id: string, queue: string) => void;
  /** Takes the dispatch of an attempt out of NATS; true only if it is certain that no worker was handed it. */
  readonly withdraw: (id: string, attempt: number) => Promise<boolean>;
  /** Takes the dispatch out of NATS, whoever was handed it. */
  readonly discard: (id: string) => Promise<void>;
  /** Whether a living worker says that it holds an attempt. */
  readonly isNamed: (id: string, attempt: number) => boolean;
  /** Whether reports wait to be applied: an attempt may have started then. */
  readonly isBehind: () => boolean;
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
    const { store, holdBack, letGo, withdraw, logger } = this.#options;
    const overdue = await store.read({ kind: "readOverdue", nowMs: Date.now(), limit: TASKS_PER_ROUND });
    if (overdue.length === 0) return;
    const tasks: UnstartedTask[] = [];
    try {
      for (const task of overdue) {
        const { id, key, attempt } = task;
        const withWorker = holdBack(id, key);
        const isNobodys = withWorker === null || (withWorker !== "any" && withWorker <= attempt);
        const isUntaken = isNobodys || (withWorker === attempt + 1 && (await withdraw(id, attempt + 1)));
        if (isUntaken || (await this.#isUnheard(task))) tasks.push({ id, attempt, isUntaken });
      }
      const { expired } = await store.write({ kind: "expireDeadlines", tasks });
      if (expired > 0) logger.warn({ count: expired }, "total timeouts passed");
    } finally {
      for (const { id, queue } of overdue) letGo(id, queue);
    }
  }

  /** Whether nobody who might have started it has said so for long enough; then nobody is to be handed it any more. */
  async #isUnheard({ id, attempt, deadlineMs }: OverdueTask): Promise<boolean> {
    const { bus, discard, isNamed, isBehind, patienceMs } = this.#options;
    const isTooEarly = deadlineMs >= Date.now() - patienceMs;
    if (isTooEarly || !bus.connected || isBehind() || isNamed(id, attempt + 1)) return false;
    await discard(id);
    return true;
  }
}
