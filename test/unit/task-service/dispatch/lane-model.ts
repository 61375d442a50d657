import { expect } from "chai";
import { compareKeys, LaneBuffer, LOAD_LIMIT, type BufferedTask } from "#task-service/dispatch/lane-buffer.js";
import type { DispatchKey, DueTask } from "#task-service/store/task-record.js";

/** Most tasks a lane may hold. */
const MAX_TASKS = 2000;

interface Load {
  readonly tasks: readonly DueTask[];
  readonly isLast: boolean;
}

/** A lane beside a table of due tasks that is searched naively; every step checks that the lane agrees with it. */
export class LaneModel {
  readonly lane = new LaneBuffer({ queue: "default", type: "test.lane" });
  /** What the database would say is due: those in NATS are still in it. */
  readonly #table = new Map<string, DueTask>();
  readonly #dispatched = new Set<string>();
  #load: Load | undefined;
  #nextKey = 1;

  /** How many tasks are due and not dispatched. */
  get waiting(): number {
    return this.#table.size - this.#dispatched.size;
  }

  create(count: number, key: Omit<DispatchKey, "key">, payloadLength: number): void {
    for (let left = count; left > 0; left -= 1) {
      const number = this.#nextKey++;
      const task = dueTask(number, { ...key, runTimeMs: key.runTimeMs + (number % 7) }, payloadLength);
      this.#table.set(task.id, task);
      this.lane.offer(buffered(task, number % 2 === 0));
    }
    this.check();
  }

  /** A task leaves: started by a worker, cancelled, or put off. */
  leave(choice: number): void {
    const id = this.#pick([...this.#table.keys()], choice);
    if (id === undefined) return;
    this.#table.delete(id);
    this.#dispatched.delete(id);
    this.lane.remove(id);
    this.check();
  }

  take(count: number): void {
    for (let left = count; left > 0 && !this.lane.isBlind; left -= 1) {
      const expected = this.#first();
      const taken = this.lane.take();
      expect(taken?.id, "the first task of all that are due").to.equal(expected?.id);
      if (taken === undefined) return;
      this.#dispatched.add(taken.id);
    }
    this.check();
  }

  /** A dispatched task comes back, due at another time: a retry, or NATS was away. */
  comeBack(choice: number, runTimeMs: number): void {
    const id = this.#pick([...this.#dispatched], choice);
    const known = id === undefined ? undefined : this.#table.get(id);
    if (id === undefined || known === undefined) return;
    const task = { ...known, runTimeMs };
    this.#dispatched.delete(id);
    this.#table.set(id, task);
    this.lane.offer(buffered(task, false));
    this.check();
  }

  beginLoad(): void {
    if (this.#load !== undefined || !this.lane.needsLoad) return;
    const after = this.lane.beginLoad();
    const tasks = [...this.#table.values()]
      .filter((task) => after === null || compareKeys(task, after) > 0)
      .sort(compareKeys)
      .slice(0, LOAD_LIMIT);
    this.#load = { tasks, isLast: tasks.length < LOAD_LIMIT };
    this.check();
  }

  endLoad(): void {
    const load = this.#load;
    this.#load = undefined;
    if (load !== undefined) this.lane.endLoad(load.tasks, load.isLast, (id) => this.#dispatched.has(id));
    this.check();
  }

  abandonLoad(): void {
    if (this.#load !== undefined) this.lane.abandonLoad();
    this.#load = undefined;
    this.check();
  }

  /** Takes everything that is left, loading where the lane asks for it. */
  drain(): void {
    this.endLoad();
    while (this.waiting > 0) {
      const before = this.waiting;
      this.take(100);
      if (this.waiting < before) continue;
      expect(this.lane.needsLoad, "an empty lane with due tasks in the table asks for a load").to.equal(true);
      this.beginLoad();
      this.endLoad();
      expect(this.lane.isBlind && this.lane.needsLoad && this.lane.size === 0, "a load moves on").to.equal(false);
    }
    expect(this.lane.peek()).to.equal(undefined);
  }

  check(): void {
    expect(this.lane.size).to.be.at.most(MAX_TASKS);
    if (this.lane.isBlind) return;
    expect(this.lane.peek()?.id, "the first task of all that are due").to.equal(this.#first()?.id);
  }

  #first(): DueTask | undefined {
    let first: DueTask | undefined;
    for (const task of this.#table.values()) {
      if (this.#dispatched.has(task.id)) continue;
      if (first === undefined || compareKeys(task, first) < 0) first = task;
    }
    return first;
  }

  #pick(ids: readonly string[], choice: number): string | undefined {
    return ids[choice % Math.max(1, ids.length)];
  }
}

function dueTask(key: number, place: Omit<DispatchKey, "key">, payloadLength: number): DueTask {
  return {
    ...place,
    key,
    id: `task-${key}`,
    type: "test.lane",
    queue: "default",
    attempt: 0,
    workerLosses: 0,
    sequence: 1,
    payloadJson: "x".repeat(payloadLength),
    maxAttempts: 0,
    softTimeoutMs: 0,
    hardTimeoutMs: 0,
    memoryBytes: 0,
  };
}

function buffered(task: DueTask, isAtHand: boolean): BufferedTask {
  const { id, type, key, priority, runTimeMs } = task;
  return { id, type, key, priority, runTimeMs, due: isAtHand ? task : undefined };
}
