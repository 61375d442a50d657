import type { BufferedTask } from "#task-service/dispatch/lane-buffer.js";
import type { DueTask } from "#task-service/store/task-record.js";

/** From so many lost workers in a row on, a task is suspected of killing them. */
const SUSPECT_LOSSES = 2;

interface Gate {
  /** The types of the suspects that are out, by id. */
  readonly out: Map<string, string>;
  readonly waiting: Map<string, BufferedTask>;
}

/** What a {@link SuspectGate} has to know. */
export interface SuspectSurroundings {
  /** Whether a living worker takes tasks of a type from a queue. */
  readonly hasWorker: (queue: string, type: string) => boolean;
  /** Whether a worker has begun to run the task. */
  readonly hasStarted: (id: string) => boolean;
}

/**
 * Lets suspects out one at a time, in every queue: tasks that lost several workers in a row. One of them may be killing its workers, the
 * others merely ran beside it; apart from each other, each is lost only by its own doing. Nobody waits for one that has not started and
 * that no living worker could start.
 */
export class SuspectGate {
  readonly #surroundings: SuspectSurroundings;
  readonly #gates = new Map<string, Gate>();

  constructor(surroundings: SuspectSurroundings) {
    this.#surroundings = surroundings;
  }

  /** Counts a suspect that is with a worker, or on its way to one, already. */
  noteOut({ queue, id, type, workerLosses }: Pick<DueTask, "queue" | "id" | "type" | "workerLosses">): void {
    if (workerLosses >= SUSPECT_LOSSES) this.#gate(queue).out.set(id, type);
  }

  /** A worker has begun to run a task, also one that waits here for its turn. */
  noteStarted(queue: string, id: string, type: string): void {
    const gate = this.#gates.get(queue);
    if (gate?.waiting.delete(id) === true) gate.out.set(id, type);
  }

  /** Whether a task may be dispatched now; a suspect that may not is kept, without its payload, until {@link next}. */
  admit({ queue, id, type, key, priority, runTimeMs, workerLosses }: DueTask): boolean {
    if (workerLosses < SUSPECT_LOSSES) return true;
    const gate = this.#gate(queue);
    if (!gate.out.has(id) && this.#isClosed(queue, gate)) {
      gate.waiting.set(id, { id, type, key, priority, runTimeMs, due: undefined });
      return false;
    }
    gate.out.set(id, type);
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

  /** The queues that have suspects. */
  queues(): Iterable<string> {
    return this.#gates.keys();
  }

  /** Takes the suspect of a queue whose turn it is, if there is one that a living worker could start. */
  next(queue: string): BufferedTask | undefined {
    const gate = this.#gates.get(queue);
    if (gate === undefined || this.#isClosed(queue, gate)) return undefined;
    for (const [id, task] of gate.waiting) {
      if (!this.#surroundings.hasWorker(queue, task.type)) continue;
      gate.waiting.delete(id);
      return task;
    }
    return undefined;
  }

  #isClosed(queue: string, { out }: Gate): boolean {
    const { hasStarted, hasWorker } = this.#surroundings;
    for (const [id, type] of out) if (hasStarted(id) || hasWorker(queue, type)) return true;
    return false;
  }

  #gate(queue: string): Gate {
    const known = this.#gates.get(queue);
    if (known !== undefined) return known;
    const gate: Gate = { out: new Map(), waiting: new Map() };
    this.#gates.set(queue, gate);
    return gate;
  }
}
