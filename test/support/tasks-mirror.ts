import { expect } from "chai";
import type { Task, TaskEvent, TasksFrame, TaskState } from "#libs/client/taskwire-client.js";
import type { Unselected } from "#libs/proto/gen/taskwire/v1/task_service.js";

/** What a client knows of a task. */
interface Mirrored {
  readonly state: TaskState;
  readonly sequence: number;
}

/** What a client that follows many tasks knows after each frame; fails when the frames contradict each other. */
export class TasksMirror {
  readonly tasks = new Map<string, Mirrored>();
  readonly events: TaskEvent[] = [];
  readonly unselected: Unselected[] = [];
  readonly lagged: number[] = [];
  readonly bookmarks: number[] = [];
  syncedRevision: number | undefined;
  resumeToken = "";
  #revision = 0;

  take(frame: TasksFrame): void {
    if (frame.isRestart) {
      this.tasks.clear();
      this.#revision = 0;
    }
    this.resumeToken = frame.resumeToken;
    this.lagged.push(...frame.lagged);
    for (const change of frame.changes) {
      if (change.kind === "event") this.#onEvent(change.event);
      else this.#onUnselected(change.unselected);
    }
    for (const task of frame.tasks) this.#onTask(task);
    const { bookmarkRevision, syncedRevision } = frame;
    for (const revision of [bookmarkRevision, syncedRevision]) {
      if (revision === undefined) continue;
      expect(revision).to.be.at.least(this.#revision);
      this.#revision = revision;
    }
    if (bookmarkRevision !== undefined) this.bookmarks.push(bookmarkRevision);
    this.syncedRevision ??= syncedRevision;
  }

  /** The events that were told or named as left out, in order, as they are in a history that has them all. */
  everythingIn(history: readonly TaskEvent[]): TaskEvent[] {
    const lagged = new Set(this.lagged);
    const missing = history.filter(({ revision }) => lagged.has(revision));
    const told = this.events.map((event): TaskEvent => ({ ...event, type: "", queue: "" }));
    return [...told, ...missing].sort((one, other) => one.revision - other.revision);
  }

  #onTask({ id, state, sequence }: Task): void {
    expect(this.syncedRevision, "no task of a snapshot comes after its end").to.equal(undefined);
    expect(this.tasks.has(id), `${id} comes once`).to.equal(false);
    this.tasks.set(id, { state, sequence });
  }

  #onEvent(event: TaskEvent): void {
    this.#advance(event.revision);
    const known = this.tasks.get(event.taskId);
    if (known !== undefined) expect(event.sequence).to.be.above(known.sequence);
    this.tasks.set(event.taskId, { state: event.state, sequence: event.sequence });
    this.events.push(event);
  }

  #onUnselected(unselected: Unselected): void {
    this.#advance(unselected.revision);
    this.tasks.delete(unselected.taskId);
    this.unselected.push(unselected);
  }

  #advance(revision: number): void {
    expect(revision, "revisions rise").to.be.above(this.#revision);
    this.#revision = revision;
  }
}
