import type { Logger } from "#libs/log/logger.js";
import { compareKeys, LaneBuffer, LOAD_LIMIT, type BufferedTask } from "#task-service/dispatch/lane-buffer.js";
import { LockedTasks } from "#task-service/dispatch/locked-tasks.js";
import type { DueTask } from "#task-service/store/task-record.js";
import type { TaskStore } from "#task-service/store/task-store.js";
import type { WorkerRegistry } from "#task-service/workers/worker-registry.js";

const RETRY_WAIT_MS = 500;

/** The lanes that living workers can take from, and what fills them. Lanes of types nobody runs do not exist and cost nothing. */
export class LaneLoader {
  readonly #store: TaskStore;
  readonly #logger: Logger;
  readonly #locked: LockedTasks;
  #lanes = new Map<string, Map<string, LaneBuffer>>();
  readonly #loadedListeners: (() => void)[] = [];

  constructor(store: TaskStore, logger: Logger) {
    this.#store = store;
    this.#logger = logger;
    this.#locked = new LockedTasks(logger);
  }

  /** Calls the listener after every load. */
  onLoaded(listener: () => void): void {
    this.#loadedListeners.push(listener);
  }

  /** Opens lanes for what the living workers run and closes the others. */
  follow(registry: WorkerRegistry): void {
    const lanes = new Map<string, Map<string, LaneBuffer>>();
    for (const queue of registry.queues()) {
      const ofQueue = new Map<string, LaneBuffer>();
      for (const type of registry.capacity(queue).types) {
        ofQueue.set(type, this.get(queue, type) ?? new LaneBuffer({ queue, type }));
      }
      lanes.set(queue, ofQueue);
    }
    this.#lanes = lanes;
  }

  /** The lane of a queue and type, if a living worker can take from it. */
  get(queue: string, type: string): LaneBuffer | undefined {
    return this.#lanes.get(queue)?.get(type);
  }

  /** Takes the task of a queue that comes next; undefined: there is none, or one that was not read yet may come before all others. */
  takeNext(queue: string): BufferedTask | undefined {
    let best: LaneBuffer | undefined;
    for (const lane of this.#lanes.get(queue)?.values() ?? []) {
      if (lane.isBlind) return undefined;
      const task = lane.peek();
      const bestTask = best?.peek();
      if (task !== undefined && (bestTask === undefined || compareKeys(task, bestTask) < 0)) best = lane;
    }
    return best?.take();
  }

  /** Whether the payload of a task that was read cannot be opened. */
  isLocked(due: DueTask): boolean {
    return this.#locked.has(due);
  }

  /** Starts loads for lanes that run low. `isElsewhere`: the task is dispatched already. */
  loadWhereNeeded(isElsewhere: (queue: string, id: string) => boolean): void {
    for (const lanes of this.#lanes.values()) {
      for (const lane of lanes.values()) if (lane.needsLoad) void this.#load(lane, isElsewhere);
    }
  }

  async #load(lane: LaneBuffer, isElsewhere: (queue: string, id: string) => boolean): Promise<void> {
    const after = lane.beginLoad();
    try {
      const tasks = await this.#store.read({ kind: "readDue", lane: lane.lane, after, limit: LOAD_LIMIT });
      const locked = new Set(tasks.filter((due) => this.#locked.has(due)).map(({ id }) => id));
      // They count for how far was read.
      const { queue } = lane.lane;
      lane.endLoad(tasks, tasks.length < LOAD_LIMIT, (id) => locked.has(id) || isElsewhere(queue, id));
    } catch (error) {
      lane.abandonLoad();
      this.#logger.error({ err: error, lane: lane.lane }, "lane could not be loaded");
      await new Promise((resolve) => setTimeout(resolve, RETRY_WAIT_MS).unref());
    }
    for (const listener of this.#loadedListeners) listener();
  }
}
