import type { IntervalService } from "#libs/service/interval-service.js";
import type { TaskStore } from "#task-service/store/task-store.js";

const TASKS_PER_ROUND = 1000;

/** Makes tasks due whose run time has come: delayed tasks and waiting retries. */
export class DueTasks {
  readonly #store: TaskStore;
  #timer: NodeJS.Timeout | undefined;

  constructor(store: TaskStore) {
    this.#store = store;
  }

  /** One round; wakes `loop` again exactly when the next task is due, if that is before its own time. */
  async runOnce(loop: IntervalService, intervalMs: number): Promise<void> {
    const { count, nextRunTimeMs } = await this.#store.write({ kind: "makeDue", limit: TASKS_PER_ROUND });
    if (count === TASKS_PER_ROUND) {
      loop.wake();
      return;
    }
    clearTimeout(this.#timer);
    if (nextRunTimeMs === null || nextRunTimeMs > Date.now() + intervalMs) return;
    this.#timer = setTimeout(
      () => {
        loop.wake();
      },
      Math.max(0, nextRunTimeMs - Date.now()),
    );
    this.#timer.unref();
  }
}
