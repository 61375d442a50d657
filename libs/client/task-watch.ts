import { delay, jitteredBackoffMs } from "#libs/async/delay.js";
import { isCut } from "#libs/client/is-cut.js";
import { runTask, watchTask } from "#libs/client/service-methods.js";
import { TaskwireError } from "#libs/errors/taskwire-error.js";
import { Task_State as State, TaskView, type Task } from "#libs/proto/gen/taskwire/v1/task.js";
import type { TaskEvent } from "#libs/proto/gen/taskwire/v1/task_event.js";
import { CreateTaskRequest, type WatchTaskResponse } from "#libs/proto/gen/taskwire/v1/task_service.js";
import type { Channel } from "#libs/rpc/channel.js";

/** What a watch tells: first, without a cursor, how the task stands, then each event. */
export type WatchFrame =
  { readonly kind: "snapshot"; readonly task: Task } | { readonly kind: "event"; readonly event: TaskEvent };

/** How a task is watched. */
export interface WatchOptions {
  /** Begins with the event after this sequence, 0: with the first. Default: with a snapshot, then what comes later. */
  readonly afterSequence?: number;
  /** Whether the snapshot carries payload and result; default false. */
  readonly fullSnapshot?: boolean;
  /** Ends the watch; its reason is thrown. */
  readonly signal?: AbortSignal;
  /** How long the service may be away until the watch gives up, in milliseconds; default 5 min. */
  readonly maxOutageMs?: number;
}

/** Opens the stream of one task's frames after a cursor; undefined: from how the task stands. */
export type OpenStream = (
  cursor: number | undefined,
  signal: AbortSignal,
) => AsyncIterable<Pick<WatchTaskResponse, "snapshot" | "events">>;

const DEFAULT_MAX_OUTAGE_MS = 5 * 60_000;
const INITIAL_BACKOFF_MS = 100;
const MAX_BACKOFF_MS = 2000;
const MAX_GAPS = 3;
/** How long after a task's last event the service may take to end the stream, or to go on with a task that was opened again. */
const END_WAIT_MS = 1000;

/**
 * Follows one task to its end, through lost connections and restarts of the service: in order, nothing twice, nothing left out. The end
 * is where the service ends the stream: a FAILED or CANCELLED task may have been opened again after the terminal event that is here.
 */
export class TaskWatch {
  readonly #open: OpenStream;
  readonly #options: WatchOptions;
  #cursor: number | undefined;
  #heard = performance.now();
  #failures = 0;
  #gaps = 0;

  constructor(open: OpenStream, options: WatchOptions) {
    this.#open = open;
    this.#options = options;
    this.#cursor = options.afterSequence;
  }

  async *frames(): AsyncGenerator<WatchFrame, void, undefined> {
    for (;;) {
      try {
        yield* this.#connect();
        return;
      } catch (error) {
        this.#options.signal?.throwIfAborted();
        if (!isCut(error) || performance.now() - this.#heard > (this.#options.maxOutageMs ?? DEFAULT_MAX_OUTAGE_MS))
          throw error;
      }
      await delay(jitteredBackoffMs(this.#failures, INITIAL_BACKOFF_MS, MAX_BACKOFF_MS), this.#options.signal);
      this.#failures += 1;
    }
  }

  /**
   * One stream, from the cursor on. A frame that may be the last is held until the stream has ended or gone on, so that who leaves after
   * it does not reset the stream: HTTP/2 servers close the connection of a client that resets streams often.
   */
  async *#connect(): AsyncGenerator<WatchFrame, void, undefined> {
    const { signal } = this.#options;
    const leave = new AbortController();
    const abort = () => leave.abort(signal?.reason);
    if (signal?.aborted) abort();
    signal?.addEventListener("abort", abort, { once: true });
    let held: WatchFrame | undefined;
    let timer: NodeJS.Timeout | undefined;
    try {
      for await (const response of this.#open(this.#cursor, leave.signal)) {
        this.#heard = performance.now();
        this.#failures = 0;
        for (const frame of this.#framesOf(response)) {
          clearTimeout(timer);
          if (held !== undefined) yield held;
          held = isEnd(frame) ? frame : undefined;
          if (held === undefined) yield frame;
          else timer = setTimeout(() => leave.abort(endMissing()), END_WAIT_MS);
        }
      }
    } catch (error) {
      if (held === undefined) throw error;
      yield held;
      if (isFinal(held)) return;
      throw error;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
    }
    if (held !== undefined) yield held;
  }

  /** What a response tells that was not seen before. */
  *#framesOf({
    snapshot,
    events,
  }: Pick<WatchTaskResponse, "snapshot" | "events">): Generator<WatchFrame, void, undefined> {
    if (snapshot !== undefined && this.#cursor === undefined) {
      this.#cursor = snapshot.sequence;
      yield { kind: "snapshot", task: snapshot };
    }
    for (const event of events) if (this.#advance(event)) yield { kind: "event", event };
  }

  /** Moves the cursor to an event; false when it was seen before. A gap means that the stream cannot be trusted: reconnect. */
  #advance({ taskId, sequence }: TaskEvent): boolean {
    if (this.#cursor !== undefined) {
      if (sequence <= this.#cursor) return false;
      if (sequence > this.#cursor + 1) {
        this.#gaps += 1;
        throw new TaskwireError({
          code: this.#gaps >= MAX_GAPS ? "DATA_LOSS" : "UNAVAILABLE",
          reason: "EVENT_GAP",
          message: `event ${sequence} of task ${taskId} came after event ${this.#cursor}`,
        });
      }
    }
    this.#cursor = sequence;
    this.#gaps = 0;
    return true;
  }
}

/** Streams of WatchTask. */
export function watchStream(channel: Channel, id: string, { fullSnapshot }: WatchOptions): OpenStream {
  const view = fullSnapshot === true ? TaskView.TASK_VIEW_FULL : TaskView.TASK_VIEW_BASIC;
  return (afterSequence, signal) => channel.serverStream(watchTask, { id, afterSequence, view }, { signal });
}

/** Streams of RunTask. `request`: an encoded `taskwire.v1.CreateTaskRequest` with a request id; its fields are RunTask's as well. */
export function runStream(channel: Channel, request: Uint8Array): OpenStream {
  return async function* (afterSequence, signal) {
    const { task, requestId } = CreateTaskRequest.decode(request);
    const asked = { task, requestId, afterSequence, view: TaskView.TASK_VIEW_BASIC };
    for await (const frame of channel.serverStream(runTask, asked, { signal }))
      yield { snapshot: frame.task, events: frame.events };
  };
}

/** Whether the stream ends after a frame unless the task was opened again. */
function isEnd(frame: WatchFrame): boolean {
  return frame.kind === "snapshot" ? isTerminal(frame.task.state) : isTerminalEvent(frame.event);
}

/** Whether nothing can come after a frame: a snapshot is how the task stands now, and a completed task cannot be opened again. */
function isFinal(frame: WatchFrame): boolean {
  return frame.kind === "snapshot" || frame.event.kind?.$case === "completed";
}

function endMissing(): TaskwireError {
  const message = "the stream of a task neither ended nor went on after a terminal event";
  return new TaskwireError({ code: "UNAVAILABLE", reason: "END_MISSING", message });
}

/** Whether an event finishes its task. A task that is not COMPLETED may be opened again afterwards. */
export function isTerminalEvent({ kind }: TaskEvent): boolean {
  return kind?.$case === "completed" || kind?.$case === "failed" || kind?.$case === "cancelled";
}

/** Whether a task in this state is finished. */
export function isTerminal(state: State): boolean {
  return state === State.COMPLETED || state === State.FAILED || state === State.CANCELLED;
}
