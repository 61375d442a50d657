import type { BufferedTask } from "#task-service/dispatch/lane-buffer.js";
import type { DueTask } from "#task-service/store/task-record.js";

/** From so many lost workers in a row on, a task is suspected of killing them. */
const SUSPECT_LOSSES = 2;

interface Gate {
  readonly out: Set<string>;
  readonly waiting: Map<string, BufferedTask>;
}

/**
 * Lets suspects out one at a time, in every queue: tasks that lost several workers in a row. One of them may be killing its workers, the
 * others merely ran beside it; apart from each other, each is lost only by its own doing. Queues do not wait for each other, as one may
 * have no worker at all.
 */
export class SuspectGate {
  readonly #gates = new Map<string, Gate>();

  /** Counts a suspect that is with a worker, or on its way to one, already. */
  noteOut(queue: string, id: string, workerLosses: number): void {
    if (workerLosses >= SUSPECT_LOSSES) this.#gate(queue).out.add(id);
  }

  /** Whether a task may be dispatched now; a suspect that may not is kept, without its payload, until {@link next}. */
  admit({ queue, id, type, key, priority, runTimeMs, workerLosses }: DueTask): boolean {
    if (workerLosses < SUSPECT_LOSSES) return true;
    const { out, waiting } = this.#gate(queue);
    if (out.has(id)) return true;
    if (out.size > 0) {
      waiting.set(id, { id, type, key, priority, runTimeMs, due: undefined });
      return false;
    }
    out.add(id);
    return true;
  }

  /** Whether a task waits for its turn. */
  isWaiting(queue: string, id: string): boolean {
    return this.#gates.get(queue)?.waiting.has(id) ?? false;
  }

  /** The task is not with a worker any more, or not due any more. */
  leave(queue: string, id: string): void {
    const gate = this.#gates.get(queue);
    if (gate === undefined) return;
    gate.out.delete(id);
    gate.waiting.delete(id);
    if (gate.out.size + gate.waiting.size === 0) this.#gates.delete(queue);
  }

  /** The suspect of a queue whose turn it is, if there is one. */
  next(queue: string): BufferedTask | undefined {
    const gate = this.#gates.get(queue);
    if (gate === undefined || gate.out.size > 0) return undefined;
    for (const [id, task] of gate.waiting) {
      gate.waiting.delete(id);
      return task;
    }
    return undefined;
  }

  #gate(queue: string): Gate {
    const known = this.#gates.get(queue);
    if (known !== undefined) return known;
    const gate: Gate = { out: new Set(), waiting: new Map() };
    this.#gates.set(queue, gate);
    return gate;
  }
}
