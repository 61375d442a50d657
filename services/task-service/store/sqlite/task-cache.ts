import type { TaskMoment } from "#task-service/store/log/log-selector.js";
import type { TaskRecord } from "#task-service/store/task-record.js";

/** A task the writer has at hand. */
export interface CachedTask {
  readonly task: TaskRecord;
  /** As they are stored; the record of a task that was just created has none. */
  readonly labelsJson: string;
  /** Who is told of its end, as it is stored: sealed perhaps; null: nobody. */
  readonly webhook: string | null;
  /** The stored `waiting` column. */
  isWaiting: boolean;
  /** An attempt was under way when the task was recorded last. */
  isRunning: boolean;
  /** The task after its latest event; state 0: it has none yet. */
  recorded: TaskMoment;
  /** Changed in this transaction and not yet written back. */
  isDirty: boolean;
}

const MAX_ENTRIES = 20_000;

/**
 * Recently written tasks, so that a report finds its task without a query. The writer is the only one who changes tasks, so the cache
 * is true as long as it is emptied whenever a transaction fails. At most 20,000 entries without payloads; the oldest go first.
 */
export class TaskCache {
  readonly #entries = new Map<string, CachedTask>();

  get(id: string): CachedTask | undefined {
    return this.#entries.get(id);
  }

  set(id: string, entry: CachedTask): void {
    this.#entries.set(id, entry);
    if (this.#entries.size <= MAX_ENTRIES) return;
    for (const [oldest, candidate] of this.#entries) {
      if (candidate.isDirty) continue;
      this.#entries.delete(oldest);
      break;
    }
  }

  delete(id: string): void {
    this.#entries.delete(id);
  }

  clear(): void {
    this.#entries.clear();
  }
}
