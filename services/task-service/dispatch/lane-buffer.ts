import type { Lane } from "#task-service/store/read-query.js";
import type { DispatchKey, DueTask } from "#task-service/store/task-record.js";

/** A due task in memory; without its payload when that was not at hand. */
export interface BufferedTask extends DispatchKey {
  readonly id: string;
  readonly type: string;
  /** Everything dispatch needs, or undefined: read it by key before dispatching. */
  readonly due: DueTask | undefined;
}

const MAX_TASKS = 2000;
const MAX_PAYLOAD_CHARACTERS = 8 * 1024 * 1024;
const LOW_WATER = 500;
const MIN_SWEPT = 500;

/** How many tasks one load should ask for. */
export const LOAD_LIMIT = 1000;

/**
 * The front of a lane. It holds every due task up to its horizon, in order; what lies beyond is only in the database. When it
 * overflows it forgets its last tasks and draws the horizon in, so a million waiting tasks cost no memory, and a late one of high
 * priority still comes first.
 */
export class LaneBuffer {
  readonly lane: Lane;
  /** Ascending; `#head` is the first that was not taken. */
  #items: BufferedTask[] = [];
  #head = 0;
  readonly #present = new Map<string, BufferedTask>();
  #payloadCharacters = 0;
  /** "end": everything due is here. Null: nothing was loaded yet. */
  #horizon: DispatchKey | null | "end" = null;
  #changedWhileLoading: Set<string> | undefined;
  #arrivedWhileLoading: BufferedTask[] = [];
  #isDrawnIn = false;

  constructor(lane: Lane) {
    this.lane = lane;
  }

  /** How many tasks are here. */
  get size(): number {
    return this.#present.size;
  }

  /** Whether there may be tasks in the database before any that come next from here. */
  get isBlind(): boolean {
    return this.#present.size === 0 && this.#horizon !== "end";
  }

  /** Whether a load is due. */
  get needsLoad(): boolean {
    return this.#horizon !== "end" && this.#changedWhileLoading === undefined && this.#present.size < LOW_WATER;
  }

  /** The next task, still here afterwards. */
  peek(): BufferedTask | undefined {
    for (; this.#head < this.#items.length; this.#head += 1) {
      const item = this.#items[this.#head];
      if (item !== undefined && this.#present.get(item.id) === item) return item;
    }
    this.#items = [];
    this.#head = 0;
    return undefined;
  }

  /** Takes the next task out. */
  take(): BufferedTask | undefined {
    const item = this.peek();
    if (item === undefined) return undefined;
    this.#head += 1;
    this.#forget(item);
    if (this.#head > 1000 && this.#head * 2 > this.#items.length) {
      this.#items.splice(0, this.#head);
      this.#head = 0;
    }
    return item;
  }

  /** A task became due. */
  offer(task: BufferedTask): void {
    this.#changedWhileLoading?.add(task.id);
    if (this.#changedWhileLoading !== undefined) this.#arrivedWhileLoading.push(task);
    const outdated = this.#present.get(task.id);
    if (outdated !== undefined) this.#forget(outdated);
    if (this.#isWithinHorizon(task)) this.#insert(task);
  }

  /** A task is not due any more. */
  remove(id: string): void {
    this.#changedWhileLoading?.add(id);
    const item = this.#present.get(id);
    if (item !== undefined) {
      this.#forget(item);
      this.#sweep();
    }
    if (this.#arrivedWhileLoading.length > 0) {
      this.#arrivedWhileLoading = this.#arrivedWhileLoading.filter((arrival) => arrival.id !== id);
    }
  }

  /** Begins a load; returns where it should read on. */
  beginLoad(): DispatchKey | null {
    this.#changedWhileLoading = new Set();
    this.#isDrawnIn = false;
    return this.#horizon === "end" ? null : this.#horizon;
  }

  /**
   * Ends a load with what it read (`isLast`: there was nothing more), skipping tasks that changed meanwhile: for those the snapshot
   * that was read is too old. `isElsewhere`: the task is dispatched already.
   */
  endLoad(tasks: readonly DueTask[], isLast: boolean, isElsewhere: (id: string) => boolean): void {
    const changed = this.#changedWhileLoading ?? new Set();
    const arrived = this.#arrivedWhileLoading;
    this.#changedWhileLoading = undefined;
    this.#arrivedWhileLoading = [];
    // Where the horizon was drawn in meanwhile, tasks before those read were forgotten: the next load begins there.
    if (!this.#isDrawnIn) this.#horizon = isLast ? "end" : (tasks.at(-1) ?? this.#horizon);
    for (const due of tasks) {
      if (!this.#isWithinHorizon(due)) break;
      if (changed.has(due.id) || isElsewhere(due.id)) continue;
      const { id, type, key, priority, runTimeMs } = due;
      this.#insert({ id, type, key, priority, runTimeMs, due });
    }
    for (const task of arrived) if (this.#isWithinHorizon(task) && !isElsewhere(task.id)) this.#insert(task);
  }

  /** Ends a load that failed. */
  abandonLoad(): void {
    this.#changedWhileLoading = undefined;
    this.#arrivedWhileLoading = [];
  }

  #isWithinHorizon(key: DispatchKey): boolean {
    if (this.#horizon === "end") return true;
    return this.#horizon !== null && compareKeys(key, this.#horizon) <= 0;
  }

  #insert(task: BufferedTask): void {
    if (this.#present.has(task.id)) return;
    let low = this.#head;
    let high = this.#items.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const item = this.#items[middle];
      if (item !== undefined && compareKeys(item, task) <= 0) low = middle + 1;
      else high = middle;
    }
    this.#items.splice(low, 0, task);
    this.#present.set(task.id, task);
    this.#payloadCharacters += task.due?.payloadJson.length ?? 0;
    while (
      this.#present.size > MAX_TASKS ||
      (this.#payloadCharacters > MAX_PAYLOAD_CHARACTERS && this.#present.size > 1)
    ) {
      this.#dropLast();
    }
  }

  #dropLast(): void {
    this.#isDrawnIn = true;
    const last = this.#items.pop();
    if (last !== undefined && this.#present.get(last.id) === last) this.#forget(last);
    while (this.#items.length > this.#head) {
      const item = this.#items.at(-1);
      if (item !== undefined && this.#present.get(item.id) === item) {
        this.#horizon = { priority: item.priority, runTimeMs: item.runTimeMs, key: item.key };
        return;
      }
      this.#items.pop();
    }
  }

  /** Lets go of removed tasks that lie behind one that is not taken. */
  #sweep(): void {
    const removed = this.#items.length - this.#head - this.#present.size;
    if (removed < MIN_SWEPT || removed < this.#present.size) return;
    this.#items = this.#items.slice(this.#head).filter((item) => this.#present.get(item.id) === item);
    this.#head = 0;
  }

  #forget(item: BufferedTask): void {
    this.#present.delete(item.id);
    this.#payloadCharacters -= item.due?.payloadJson.length ?? 0;
  }
}

/** Orders tasks for dispatch: negative if `a` goes before `b`. */
export function compareKeys(a: DispatchKey, b: DispatchKey): number {
  return b.priority - a.priority || a.runTimeMs - b.runTimeMs || a.key - b.key;
}
