import type { DueTask } from "#task-service/store/task-record.js";

/** From so many lost workers in a row on, a task is suspected of killing them. */
const SUSPECT_LOSSES = 2;

/**
 * Lets suspects out one at a time: tasks that lost several workers in a row. One of them may be killing its workers, the others merely ran
 * beside it; apart from each other, each is lost only by its own doing.
 */
export class SuspectGate {
  readonly #out = new Set<string>();
  readonly #waiting = new Map<string, DueTask>();

  /** Counts a suspect that is with a worker already. */
  noteRunning(id: string, workerLosses: number): void {
    if (workerLosses >= SUSPECT_LOSSES) this.#out.add(id);
  }

  /** Whether a task may be dispatched now; a suspect that may not is kept until {@link next}. */
  admit(due: DueTask): boolean {
    if (due.workerLosses < SUSPECT_LOSSES || this.#out.has(due.id)) return true;
    if (this.#out.size > 0) {
      this.#waiting.set(due.id, due);
      return false;
    }
    this.#out.add(due.id);
    return true;
  }

  /** Whether a task waits for its turn. */
  isWaiting(id: string): boolean {
    return this.#waiting.has(id);
  }

  /** The task is not with a worker any more, or not due any more. */
  leave(id: string): void {
    this.#out.delete(id);
    this.#waiting.delete(id);
  }

  /** The suspect whose turn it is, if there is one. */
  next(): DueTask | undefined {
    if (this.#out.size > 0) return undefined;
    for (const [id, due] of this.#waiting) {
      this.#waiting.delete(id);
      return due;
    }
    return undefined;
  }
}
