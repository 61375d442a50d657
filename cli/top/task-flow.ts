import { deferred } from "#libs/async/deferred.js";
import { isTerminal, isTerminalEvent } from "#libs/client/task-watch.js";
import type { TasksFrame } from "#libs/client/taskwire-client.js";
import { Task_State as State, type Task } from "#libs/proto/gen/taskwire/v1/task.js";
import type { TaskEvent } from "#libs/proto/gen/taskwire/v1/task_event.js";
import type { Unselected } from "#libs/proto/gen/taskwire/v1/task_service.js";
import { uuidTimeMs } from "#libs/tasks/uuid.js";
import { LoadMeter, type Load } from "#cli/top/load-meter.js";

/** The load of a queue. */
export interface QueueLoad extends Load {
  readonly queue: string;
}

/** How tasks flow at a time. */
export interface FlowReading {
  /** The log has been read up to here. */
  readonly revision: number;
  /** Whether the tasks that were open before are counted in. */
  readonly isCounted: boolean;
  /** The busiest first. */
  readonly queues: readonly QueueLoad[];
  readonly totals: Load;
}

interface OpenTask {
  readonly queue: string;
  readonly isRunning: boolean;
  readonly sequence: number;
  readonly startedMs: number | undefined;
}

const DEFAULT_MAX_QUEUES = 1000;

/**
 * Adds up events of all tasks, and the tasks that were open before, which a second stream tells meanwhile: of what both tell of a task the later
 * counts. It holds open tasks only, and forgets queues without any when there are too many.
 */
export class TaskFlow {
  readonly #maxQueues: number;
  readonly #open = new Map<string, OpenTask>();
  readonly #queues = new Map<string, LoadMeter>();
  readonly #totals = new LoadMeter();
  /** Sequences of tasks that were seen to end, or to leave, while the open ones are being counted. */
  #gone: Map<string, number> | undefined;
  readonly #counted = deferred<void>();
  #revision = 0;

  constructor(maxQueues = DEFAULT_MAX_QUEUES) {
    this.#maxQueues = maxQueues;
  }

  /** Resolves when open tasks have been counted for the first time. */
  get counted(): Promise<void> {
    return this.#counted.promise;
  }

  /** Open tasks are counted anew from here on, until {@link endCount}. Rates and spreads go on. */
  beginCount(): void {
    for (const task of this.#open.values()) this.#weigh(task, -1);
    this.#open.clear();
    this.#gone = new Map();
    this.#revision = 0;
  }

  /** Takes open tasks in that a snapshot tells, which was begun after the stream of events. */
  count(tasks: readonly Task[]): void {
    for (const task of tasks) {
      const known = this.#open.get(task.id);
      const startedMs = task.state === State.RUNNING ? task.startTime?.getTime() : undefined;
      if (known !== undefined && task.sequence <= known.sequence) {
        if (known.isRunning && known.startedMs === undefined) this.#open.set(task.id, { ...known, startedMs });
      } else if (task.sequence > (this.#gone?.get(task.id) ?? 0) && !isTerminal(task.state))
        this.#setOpen(task.id, {
          queue: task.queue,
          isRunning: task.state === State.RUNNING,
          sequence: task.sequence,
          startedMs,
        });
    }
  }

  /** Every open task has been told. */
  endCount(): void {
    this.#gone = undefined;
    this.#counted.resolve();
  }

  /** Takes a frame of the stream of events in. */
  take(frame: TasksFrame): void {
    for (const change of frame.changes) {
      if (change.kind === "event") this.#onEvent(change.event);
      else this.#onUnselected(change.unselected);
    }
    this.#revision = Math.max(this.#revision, frame.bookmarkRevision ?? 0);
  }

  /** How it flows at a time, in milliseconds of a clock that only goes forward. */
  read(atMs: number): FlowReading {
    const queues = [...this.#queues].map(([queue, meter]): QueueLoad => ({ queue, ...meter.read(atMs) }));
    const openIn = ({ pending, running }: Load) => pending + running;
    queues.sort((one, other) => openIn(other) - openIn(one) || one.queue.localeCompare(other.queue));
    const totals = this.#totals.read(atMs);
    return { revision: this.#revision, isCounted: this.#gone === undefined, queues, totals };
  }

  #onEvent(event: TaskEvent): void {
    const { revision, taskId, queue, state, sequence, attempt, kind } = event;
    this.#revision = Math.max(this.#revision, revision);
    const timeMs = event.time?.getTime() ?? Date.now();
    const known = this.#open.get(taskId);
    const isNews = sequence > (known?.sequence ?? 0);
    const meters = [this.#meterOf(queue), this.#totals];
    if (kind?.$case === "created") for (const { created } of meters) created.count();
    if (kind?.$case === "started" && attempt === 1)
      for (const { waits } of meters) waits.add(Math.max(0, timeMs - uuidTimeMs(taskId)));
    if (isTerminalEvent(event)) {
      this.#onEnd(meters, state);
      if (isNews && known?.startedMs !== undefined)
        for (const { runs } of meters) runs.add(Math.max(0, timeMs - known.startedMs));
    }
    if (!isNews) return;
    if (isTerminal(state)) {
      this.#setGone(taskId, sequence);
      return;
    }
    const isRunning = state === State.RUNNING;
    const before = isRunning ? known?.startedMs : undefined;
    this.#setOpen(taskId, { queue, isRunning, sequence, startedMs: kind?.$case === "started" ? timeMs : before });
  }

  /** Where the filter names more than a task keeps, an end may come as this; nobody says when it was. */
  #onUnselected({ revision, taskId, sequence, state }: Unselected): void {
    this.#revision = Math.max(this.#revision, revision);
    const known = this.#open.get(taskId);
    if (known !== undefined && isTerminal(state)) this.#onEnd([this.#meterOf(known.queue), this.#totals], state);
    if (sequence > (known?.sequence ?? 0)) this.#setGone(taskId, sequence);
  }

  #onEnd(meters: readonly LoadMeter[], state: State): void {
    for (const meter of meters) {
      meter.finished.count();
      if (state === State.FAILED) meter.failed += 1;
    }
  }

  #setOpen(id: string, task: OpenTask): void {
    const before = this.#open.get(id);
    if (before !== undefined) this.#weigh(before, -1);
    this.#open.set(id, task);
    this.#weigh(task, 1);
  }

  #setGone(id: string, sequence: number): void {
    const before = this.#open.get(id);
    if (before !== undefined) this.#weigh(before, -1);
    this.#open.delete(id);
    this.#gone?.set(id, sequence);
  }

  #weigh({ queue, isRunning }: OpenTask, weight: 1 | -1): void {
    for (const meter of [this.#meterOf(queue), this.#totals]) {
      if (isRunning) meter.running += weight;
      else meter.pending += weight;
    }
  }

  #meterOf(queue: string): LoadMeter {
    const known = this.#queues.get(queue);
    if (known !== undefined) return known;
    if (this.#queues.size >= this.#maxQueues) {
      const idle = [...this.#queues].find(([, { pending, running }]) => pending + running === 0);
      if (idle !== undefined) this.#queues.delete(idle[0]);
    }
    const meter = new LoadMeter(this.#totals);
    this.#queues.set(queue, meter);
    return meter;
  }
}
