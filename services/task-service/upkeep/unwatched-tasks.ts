import type { Logger } from "#libs/log/logger.js";
import type { UnwatchedCancel } from "#task-service/store/task-record.js";
import type { TaskStore } from "#task-service/store/task-store.js";

/** What {@link UnwatchedTasks} works with. */
export interface UnwatchedTasksOptions {
  readonly store: TaskStore;
  readonly logger: Logger;
  /** Since when no RunTask stream is attached to a task; null: one is; undefined: none was since the start. */
  readonly leftAtMs: (id: string) => number | null | undefined;
  /** Forgets what it knows of tasks for which this does not hold. */
  readonly forget: (isOfInterest: (id: string) => boolean) => void;
  readonly cancel: (id: string, reason: string) => Promise<unknown>;
}

const PAGE = 1000;
const REASON = "nobody watched it any more";

/**
 * Cancels unfinished tasks whose creator asked for that, when no RunTask stream has been attached to them for the time asked for. Who watched
 * before a restart of this process has the whole time to come back.
 */
export class UnwatchedTasks {
  readonly #options: UnwatchedTasksOptions;
  /** When tasks to which no stream was attached yet were found first, by the monotonic clock. */
  readonly #foundAtMs = new Map<string, number>();

  constructor(options: UnwatchedTasksOptions) {
    this.#options = options;
  }

  /** One round. */
  async runOnce(): Promise<void> {
    const { store, forget, logger } = this.#options;
    const seen = new Set<string>();
    for (let afterKey = 0; ;) {
      const page = await store.read({ kind: "readUnwatchedCancels", afterKey, limit: PAGE });
      for (const task of page) {
        seen.add(task.id);
        if (this.#isAbandoned(task)) await this.#cancel(task.id);
      }
      const last = page.at(-1);
      if (last === undefined || page.length < PAGE) break;
      afterKey = last.key;
    }
    for (const id of this.#foundAtMs.keys()) if (!seen.has(id)) this.#foundAtMs.delete(id);
    forget((id) => seen.has(id));
    if (seen.size > 0) logger.trace({ count: seen.size }, "tasks that want to be watched");
  }

  #isAbandoned({ id, afterMs }: UnwatchedCancel): boolean {
    const nowMs = performance.now();
    const leftAtMs = this.#options.leftAtMs(id);
    if (leftAtMs === null) return false;
    const foundAtMs = this.#foundAtMs.get(id) ?? nowMs;
    this.#foundAtMs.set(id, foundAtMs);
    return nowMs - (leftAtMs ?? foundAtMs) >= afterMs;
  }

  async #cancel(id: string): Promise<void> {
    const { cancel, logger } = this.#options;
    try {
      await cancel(id, REASON);
    } catch (error) {
      // It may have ended meanwhile; if not, the next round tries again.
      logger.debug({ err: error, taskId: id }, "an unwatched task could not be cancelled");
    }
  }
}
