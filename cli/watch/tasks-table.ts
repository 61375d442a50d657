import { isTerminal } from "#libs/client/task-watch.js";
import type { TasksFrame } from "#libs/client/taskwire-client.js";
import { Task, Task_State as State } from "#libs/proto/gen/taskwire/v1/task.js";
import type { TaskEvent } from "#libs/proto/gen/taskwire/v1/task_event.js";
import { uuidTimeMs } from "#libs/tasks/uuid.js";
import { harmlessCell } from "#cli/output/harmless-text.js";
import { table } from "#cli/output/table.js";
import { spanText, stateText } from "#cli/output/task-text.js";
import { TaskLine } from "#cli/watch/task-line.js";

const DEFAULT_MAX_TASKS = 10_000;
const HEADINGS = ["ID", "TYPE", "QUEUE", "STATE", "ATTEMPT", "TIME", "PROGRESS"];
const STATES = [State.RUNNING, State.PENDING, State.COMPLETED, State.FAILED, State.CANCELLED];

/**
 * The tasks that a stream of many tasks tells of, as a table: the running ones first, then those that wait, then the finished ones, latest
 * first. It keeps a bounded number; beyond that it drops the oldest finished ones, then waiting ones, and its header says so.
 */
export class TasksTable {
  readonly #maxTasks: number;
  readonly #running = new Map<string, TaskLine>();
  readonly #waiting = new Map<string, TaskLine>();
  readonly #finished = new Map<string, TaskLine>();
  #dropped = 0;
  #revision = 0;
  #isCurrent = false;

  constructor(maxTasks = DEFAULT_MAX_TASKS) {
    this.#maxTasks = maxTasks;
  }

  /** How many tasks it keeps. */
  get size(): number {
    return this.#running.size + this.#waiting.size + this.#finished.size;
  }

  /** Takes a frame in; returns lasting lines to print above, each after the id of its task. */
  take(frame: TasksFrame): string[] {
    if (frame.isRestart) this.#forget();
    const lasting: string[] = [];
    for (const change of frame.changes) {
      if (change.kind === "event") lasting.push(...this.#onEvent(change.event));
      else this.#onUnselected(change.unselected.taskId, change.unselected.revision);
    }
    for (const task of frame.tasks) this.#onTask(task);
    for (const revision of [frame.syncedRevision, frame.bookmarkRevision]) {
      if (revision === undefined) continue;
      this.#revision = Math.max(this.#revision, revision);
      this.#isCurrent = true;
    }
    return lasting;
  }

  /** The table as it stands at a time, in at most so many lines, at least three. */
  lines(now: Date, height: number): string[] {
    const header = this.#header();
    if (this.size === 0) return [header];
    const room = Math.max(1, height - 2);
    const shown = this.#first(this.size > room ? room - 1 : room);
    const rows = table(
      HEADINGS,
      shown.map((line) => rowOf(line, now)),
    ).split("\n");
    const hidden = this.size - shown.length;
    return [header, ...rows, ...(hidden > 0 ? [`… ${hidden.toLocaleString("en")} more`] : [])];
  }

  #header(): string {
    const counts = new Map<State, number>();
    for (const group of [this.#running, this.#waiting, this.#finished])
      for (const { state } of group.values()) counts.set(state, (counts.get(state) ?? 0) + 1);
    const parts = STATES.map((state) => `${stateText(state)} ${(counts.get(state) ?? 0).toLocaleString("en")}`);
    parts.push(`revision ${this.#revision}`);
    if (!this.#isCurrent) parts.push("catching up");
    const [kept, dropped] = [this.#maxTasks, this.#dropped].map((count) => count.toLocaleString("en"));
    if (this.#dropped > 0)
      parts.push(`${kept} tasks are kept, ${dropped} were dropped, the oldest finished ones first`);
    return parts.join("  ");
  }

  #first(count: number): TaskLine[] {
    const open = [...this.#running.values(), ...this.#waiting.values()].slice(0, count);
    if (open.length === count) return open;
    const finished = [...this.#finished.values()].reverse().sort((one, other) => other.endMs - one.endMs);
    return [...open, ...finished.slice(0, count - open.length)];
  }

  #onTask(task: Task): void {
    const line = this.#groupWith(task.id)?.get(task.id) ?? new TaskLine(task);
    line.apply({ kind: "snapshot", task });
    this.#put(line);
  }

  #onEvent(event: TaskEvent): string[] {
    this.#revision = Math.max(this.#revision, event.revision);
    const line = this.#groupWith(event.taskId)?.get(event.taskId) ?? lineOf(event);
    const lasting = line.apply({ kind: "event", event });
    this.#put(line);
    return lasting.map((text) => `${event.taskId} ${text}`);
  }

  #onUnselected(id: string, revision: number): void {
    this.#revision = Math.max(this.#revision, revision);
    this.#groupWith(id)?.delete(id);
  }

  #groupWith(id: string): Map<string, TaskLine> | undefined {
    return [this.#running, this.#waiting, this.#finished].find((group) => group.has(id));
  }

  /** Puts a task where its state belongs, last. One that is there already stays in its place. */
  #put(line: TaskLine): void {
    const before = this.#groupWith(line.id);
    let after = this.#waiting;
    if (isTerminal(line.state)) after = this.#finished;
    else if (line.state === State.RUNNING) after = this.#running;
    if (before === after) return;
    before?.delete(line.id);
    after.set(line.id, line);
    if (this.size > this.#maxTasks) this.#drop(line.id);
  }

  /** Drops a task after another one came. Of waiting ones those that came first are kept: they are due first. */
  #drop(latest: string): void {
    const [finished] = this.#finished.keys();
    const [waiting] = this.#waiting.keys();
    const victim = finished ?? (this.#waiting.has(latest) ? latest : waiting) ?? latest;
    this.#groupWith(victim)?.delete(victim);
    this.#dropped += 1;
  }

  #forget(): void {
    for (const group of [this.#running, this.#waiting, this.#finished]) group.clear();
    this.#dropped = 0;
    this.#revision = 0;
    this.#isCurrent = false;
  }
}

/** A task of which nothing is known but that something happened to it. */
function lineOf({ taskId, type, queue, state }: TaskEvent): TaskLine {
  return new TaskLine(Task.fromPartial({ id: taskId, type, queue, state }));
}

/** A row under {@link HEADINGS}. */
function rowOf(line: TaskLine, now: Date): string[] {
  const isWaiting = !isTerminal(line.state) && line.state !== State.RUNNING;
  return [
    harmlessCell(line.id),
    harmlessCell(line.type),
    harmlessCell(line.queue),
    stateText(line.state),
    line.attempt === 0 ? "" : String(line.attempt),
    isWaiting ? spanText(now.getTime() - uuidTimeMs(line.id)) : line.span(now),
    line.detail(),
  ];
}
