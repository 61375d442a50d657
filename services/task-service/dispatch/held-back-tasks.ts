import type { BufferedTask } from "#task-service/dispatch/lane-buffer.js";

interface Hold {
  holders: number;
  /** The task, when its turn came while it was held back. */
  task: BufferedTask | undefined;
}

/** Tasks that must not be dispatched while they are being cancelled, by one client or by several at once. */
export class HeldBackTasks {
  readonly #holds = new Map<string, Hold>();

  has(id: string): boolean {
    return this.#holds.has(id);
  }

  /** Begins to hold a task back. */
  hold(id: string): void {
    const hold = this.#holds.get(id);
    if (hold === undefined) this.#holds.set(id, { holders: 1, task: undefined });
    else hold.holders += 1;
  }

  /** Keeps a task whose turn has come if it is held back; returns whether it is. */
  keep(task: BufferedTask): boolean {
    const hold = this.#holds.get(task.id);
    if (hold !== undefined) hold.task = task;
    return hold !== undefined;
  }

  /** The task is not due any more. */
  drop(id: string): void {
    const hold = this.#holds.get(id);
    if (hold !== undefined) hold.task = undefined;
  }

  /** Ends one hold; with the last one the task comes back if its turn came meanwhile and it is still due. */
  letGo(id: string): BufferedTask | undefined {
    const hold = this.#holds.get(id);
    if (hold === undefined) return undefined;
    hold.holders -= 1;
    if (hold.holders > 0) return undefined;
    this.#holds.delete(id);
    return hold.task;
  }
}
