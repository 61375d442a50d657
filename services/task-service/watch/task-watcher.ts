import { TaskwireError } from "#libs/errors/taskwire-error.js";
import { isTerminal } from "#libs/tasks/task-state.js";
import type { CommittedEvent } from "#task-service/store/commit.js";
import type { TaskRecord } from "#task-service/store/task-record.js";
import type { TaskStore } from "#task-service/store/task-store.js";
import { eventFrame } from "#task-service/watch/event-frame.js";

/** Where a watcher's frames go. */
export interface WatchSink {
  /** Takes an encoded frame; false: no more until {@link TaskWatcher.onDrain}. */
  frame(bytes: Uint8Array): boolean;
  snapshot(task: TaskRecord): boolean;
  heartbeat(revision: number, sequence: number): boolean;
  end(): void;
  fail(error: unknown): void;
}

const EVENTS_PER_READ = 500;

/**
 * One stream's cursor over one task's events. It reads the database until it has caught up, then is fed from commits; when it was
 * full or missed something it reads again. It holds a position, never events, so a reader that stands still costs nothing.
 *
 * States: reading → following ⇄ blocked (the stream is full); every state → ended.
 */
export class TaskWatcher {
  readonly id: string;
  readonly #store: TaskStore;
  readonly #sink: WatchSink;
  #sequence: number;
  #isReading = false;
  #isBlocked = false;
  #isBehind = false;
  #isEnded = false;
  #lastFrameAtMs = performance.now();

  /** `afterSequence`: the last event the client has. */
  constructor(options: { id: string; afterSequence: number; store: TaskStore; sink: WatchSink }) {
    this.id = options.id;
    this.#store = options.store;
    this.#sink = options.sink;
    this.#sequence = options.afterSequence;
  }

  /** Begins with the task as it stands. */
  async startWithSnapshot(isFull: boolean): Promise<void> {
    this.#isReading = true;
    const task = await this.#store.read({ kind: "getTask", id: this.id, isFull });
    this.#isReading = false;
    if (this.#isEnded) return;
    if (task === null) throw taskNotFound(this.id);
    this.#sequence = task.sequence;
    this.#sent(this.#sink.snapshot(task));
    if (isTerminal(task.state)) this.#end();
    else if (this.#isBehind && !this.#isBlocked) await this.read();
  }

  /** Reads from the database until it has caught up, is full, or has ended. */
  async read(): Promise<void> {
    if (this.#isReading || this.#isEnded) return;
    this.#isReading = true;
    do {
      this.#isBehind = false;
      const isThere = await this.#readPage();
      if (!isThere) this.#isBehind = true;
    } while (this.#isBehind && !this.#isBlocked && !this.#isEnded);
    this.#isReading = false;
  }

  /** Events of this task were committed. `frame` holds them encoded, for all watchers of the task. */
  onEvents(events: readonly CommittedEvent[], frame: () => Uint8Array): void {
    const first = events[0];
    const last = events.at(-1);
    if (first === undefined || last === undefined || this.#isEnded) return;
    if (this.#isReading || this.#isBlocked || this.#isBehind || first.sequence !== this.#sequence + 1) {
      if (last.sequence <= this.#sequence) return;
      this.#isBehind = true;
      if (!this.#isReading && !this.#isBlocked) this.#readOrFail();
      return;
    }
    this.#sequence = last.sequence;
    this.#sent(this.#sink.frame(frame()));
    if (last.isTerminal) this.#end();
  }

  /** The stream takes frames again. */
  onDrain(): void {
    if (!this.#isBlocked) return;
    this.#isBlocked = false;
    if (this.#isBehind) this.#readOrFail();
  }

  /** Sends a heartbeat if nothing was sent for `idleMs` and nothing is missing up to `revision`. */
  beat(nowMs: number, idleMs: number, revision: number): void {
    const isUpToDate = !this.#isReading && !this.#isBlocked && !this.#isBehind && !this.#isEnded;
    if (isUpToDate && nowMs - this.#lastFrameAtMs >= idleMs) this.#sent(this.#sink.heartbeat(revision, this.#sequence));
  }

  /** The stream is gone. */
  close(): void {
    this.#isEnded = true;
  }

  /** Reads one page; returns whether the cursor now stands where the task stood. */
  async #readPage(): Promise<boolean> {
    const history = await this.#store.read({
      kind: "readEvents",
      id: this.id,
      afterSequence: this.#sequence,
      limit: EVENTS_PER_READ,
    });
    if (this.#isEnded) return true;
    if (history === null) throw taskNotFound(this.id);
    if (this.#sequence > history.sequence) throw cursorAhead(this.#sequence, history.sequence);
    const last = history.events.at(-1);
    if (last !== undefined) {
      this.#sequence = last.sequence;
      this.#sent(this.#sink.frame(eventFrame(history.events.map((event) => event.body))));
    }
    const isThere = this.#sequence === history.sequence;
    if (isThere && isTerminal(history.state)) this.#end();
    return isThere;
  }

  #sent(hasRoom: boolean): void {
    this.#lastFrameAtMs = performance.now();
    if (!hasRoom) this.#isBlocked = true;
  }

  #readOrFail(): void {
    this.read().catch((error: unknown) => {
      this.#isEnded = true;
      this.#sink.fail(error);
    });
  }

  #end(): void {
    this.#isEnded = true;
    this.#sink.end();
  }
}

function taskNotFound(id: string): TaskwireError {
  return new TaskwireError({
    code: "NOT_FOUND",
    reason: "TASK_NOT_FOUND",
    message: `there is no task ${id}`,
    metadata: { id },
  });
}

function cursorAhead(cursor: number, latest: number): TaskwireError {
  return new TaskwireError({
    code: "OUT_OF_RANGE",
    reason: "CURSOR_AHEAD",
    message: `after_sequence is ${cursor}, but the task's latest event is ${latest}`,
    metadata: { afterSequence: String(cursor), latestSequence: String(latest) },
  });
}
