import { TaskwireError } from "#libs/errors/taskwire-error.js";
import { isCut } from "#libs/client/is-cut.js";
import { TaskState } from "#libs/tasks/task-state.js";
import { monotonicMs } from "#test/robustness/effect-journal.js";
import type { CallOutcome, CallRecord, SeenFrame, StreamRecord, TaskSnapshot } from "#test/robustness/history.js";

/** Which call is recorded. */
export type CallSubject = Pick<CallRecord, "kind" | "via" | "ops" | "taskId">;

/** Writes down what clients ask and are told. */
export class Recorder {
  readonly calls: CallRecord[] = [];
  readonly streams: StreamRecord[] = [];
  readonly #accepted: string[] = [];
  readonly #known = new Set<string>();
  readonly #lastSeen = new Map<string, number>();
  readonly #unsuccessful = new Set<string>();
  readonly #unfinished = new Set<string>();
  readonly #listeners: ((taskId: string, sequence: number) => void)[] = [];

  /** Calls the listener when a task was accepted, or opened again: with the sequence before the first event of that round it may miss. */
  onRound(listener: (taskId: string, sequence: number) => void): void {
    this.#listeners.push(listener);
  }

  /** The tasks whose create was answered, in the order of the answers. */
  get accepted(): readonly string[] {
    return this.#accepted;
  }

  /** The tasks that have ever been seen FAILED or CANCELLED: what RetryTask is for. */
  get unsuccessful(): readonly string[] {
    return [...this.#unsuccessful];
  }

  /** The accepted tasks that nobody has seen end in their present round. */
  get unfinished(): readonly string[] {
    return [...this.#unfinished];
  }

  /** The greatest sequence that any answer or stream has told of a task. */
  lastSeen(taskId: string): number {
    return this.#lastSeen.get(taskId) ?? 0;
  }

  /** Makes a call and records it. Never rejects. */
  async call(subject: CallSubject, make: () => Promise<readonly TaskSnapshot[]>): Promise<void> {
    const beginMs = monotonicMs();
    let outcome: CallOutcome = "ok";
    let error = "";
    let tasks: readonly TaskSnapshot[] = [];
    try {
      tasks = await make();
    } catch (thrown) {
      outcome = outcomeOf(thrown);
      error = errorText(thrown);
    }
    this.calls.push({ ...subject, beginMs, endMs: monotonicMs(), outcome, error, tasks });
    for (const task of tasks) {
      this.#see(task.id, task.sequence);
      this.#noteEnd(task);
      if (subject.ops.length > 0) this.#accept(task.id);
      if (subject.kind === "retry") this.#announce(task.id, task.sequence);
    }
  }

  /** Begins the record of a stream. */
  openStream(via: StreamRecord["via"], taskId: string, cursor: number | null): StreamRecord {
    const beginMs = monotonicMs();
    const stream = {
      stream: this.streams.length + 1,
      via,
      taskId,
      cursor,
      beginMs,
      endMs: beginMs,
      end: "open",
      frames: [],
    };
    this.streams.push(stream);
    return stream;
  }

  /** Adds a frame to the record of its stream. */
  frame(stream: StreamRecord, frame: Omit<SeenFrame, "atMs">): void {
    stream.frames.push({ atMs: monotonicMs(), ...frame });
    const sequence = frame.events?.at(-1)?.sequence ?? frame.snapshot?.sequence;
    if (sequence !== undefined) this.#see(stream.taskId, sequence);
    if (frame.snapshot !== undefined) this.#noteEnd(frame.snapshot);
    const last = frame.events?.at(-1)?.kind ?? "";
    if (["completed", "failed", "cancelled"].includes(last)) this.#unfinished.delete(stream.taskId);
    if (["failed", "cancelled"].includes(last)) this.#unsuccessful.add(stream.taskId);
  }

  /** Ends the record of a stream. */
  closeStream(stream: StreamRecord, end: string): void {
    stream.end = end;
    stream.endMs = monotonicMs();
  }

  #accept(taskId: string): void {
    if (this.#known.has(taskId)) return;
    this.#known.add(taskId);
    this.#accepted.push(taskId);
    this.#announce(taskId, 0);
  }

  #announce(taskId: string, sequence: number): void {
    this.#unfinished.add(taskId);
    for (const listener of this.#listeners) listener(taskId, sequence);
  }

  #noteEnd({ id, state }: TaskSnapshot): void {
    if (state === TaskState.FAILED || state === TaskState.CANCELLED) this.#unsuccessful.add(id);
  }

  #see(taskId: string, sequence: number): void {
    if (sequence > this.lastSeen(taskId)) this.#lastSeen.set(taskId, sequence);
  }
}

/** A refusal names its reason; whatever may have happened on the way leaves open what became of the call. */
function outcomeOf(thrown: unknown): CallOutcome {
  if (!(thrown instanceof TaskwireError)) return "unknown";
  return isCut(thrown) || ["DEADLINE_EXCEEDED", "INTERNAL", "UNKNOWN", "CANCELLED"].includes(thrown.code)
    ? "unknown"
    : "refused";
}

/** Code and reason of an error. */
export function errorText(thrown: unknown): string {
  if (thrown instanceof TaskwireError) return `${thrown.code} ${thrown.reason}`;
  return thrown instanceof Error ? thrown.message : String(thrown);
}
