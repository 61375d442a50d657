import type { NewTask } from "#task-service/store/task-record.js";

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

  take(id: string): NewTask | undefined {
    const task = this.#tasks.get(id);
    if (task === undefined) return undefined;
    this.#tasks.delete(id);
    this.#payloadCharacters -= task.payloadJson.length;
    return task;
  }
}
