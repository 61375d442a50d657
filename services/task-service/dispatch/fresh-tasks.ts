import type { DueTask, NewTask } from "#task-service/store/task-record.js";

const MAX_TASKS = 20_000;
const MAX_PAYLOAD_CHARACTERS = 16 * 1024 * 1024;

/** Tasks on their way through a commit. Beyond 20,000 tasks or 16 Mi characters of payload it takes no more: those are read back. */
export class FreshTasks {
  readonly #tasks = new Map<string, NewTask>();
  #payloadCharacters = 0;

  add(tasks: readonly NewTask[]): void {
    for (const task of tasks) {
      if (this.#tasks.size >= MAX_TASKS || this.#payloadCharacters >= MAX_PAYLOAD_CHARACTERS) return;
      this.#tasks.set(task.id, task);
      this.#payloadCharacters += task.payloadJson.length;
    }
  }

  /** Takes a task out, as dispatch needs it; `key`: the row its commit gave it. */
  take(id: string, key: number): DueTask | undefined {
    const task = this.#tasks.get(id);
    if (task === undefined) return undefined;
    this.forget(id);
    return {
      key,
      id,
      type: task.type,
      queue: task.queue,
      priority: task.priority,
      runTimeMs: task.runTimeMs,
      attempt: 0,
      sequence: 1,
      workerLosses: 0,
      payloadJson: task.payloadJson,
      maxAttempts: task.maxAttempts,
      softTimeoutMs: task.softTimeoutMs,
      hardTimeoutMs: task.hardTimeoutMs,
      memoryBytes: task.memoryBytes,
    };
  }

  forget(id: string): void {
    const task = this.#tasks.get(id);
    if (task === undefined) return;
    this.#tasks.delete(id);
    this.#payloadCharacters -= task.payloadJson.length;
  }
}
