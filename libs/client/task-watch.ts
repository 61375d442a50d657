import { delay, jitteredBackoffMs } from "#libs/async/delay.js";
import { isCut } from "#libs/client/is-cut.js";
import { watchTask } from "#libs/client/service-methods.js";
import { TaskwireError } from "#libs/errors/taskwire-error.js";
import { Task_State as State, TaskView, type Task } from "#libs/proto/gen/taskwire/v1/task.js";
import type { TaskEvent } from "#libs/proto/gen/taskwire/v1/task_event.js";
import type { WatchTaskRequest } from "#libs/proto/gen/taskwire/v1/task_service.js";
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

const DEFAULT_MAX_OUTAGE_MS = 5 * 60_000;
const INITIAL_BACKOFF_MS = 100;
const MAX_BACKOFF_MS = 2000;
const MAX_GAPS = 3;
/** How long the service may take to end a stream after its last event. */
const END_WAIT_MS = 1000;

/** Follows one task to its end, through lost connections and restarts of the service: in order, nothing twice, nothing left out. */
export class TaskWatch {
  readonly #channel: Channel;
  readonly #id: string;
  readonly #options: WatchOptions;
  #cursor: number | undefined;
  #heard = performance.now();
  #failures = 0;
  #gaps = 0;

  constructor(channel: Channel, id: string, options: WatchOptions) {
    this.#channel = channel;
    this.#id = id;
    this.#options = options;
    this.#cursor = options.afterSequence;
  }

  async *frames(): AsyncGenerator<WatchFrame, void, undefined> {
    for (;;) {
      try {
        for await (const frame of this.#connect()) {
          yield frame;
          if (isLast(frame)) return;
        }
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

  /** One stream, from the cursor on. */
  async *#connect(): AsyncGenerator<WatchFrame, void, undefined> {
    const { signal } = this.#options;
    const leave = new AbortController();
    const abort = () => leave.abort(signal?.reason);
    if (signal?.aborted) abort();
    signal?.addEventListener("abort", abort, { once: true });
    try {
      const responses = this.#channel.serverStream(watchTask, this.#request(), { signal: leave.signal });
      for await (const { snapshot, events } of responses) {
        this.#heard = performance.now();
        this.#failures = 0;
        if (snapshot !== undefined && this.#cursor === undefined) {
          this.#cursor = snapshot.sequence;
          if (isTerminal(snapshot.state)) await readToEnd(responses, leave);
          yield { kind: "snapshot", task: snapshot };
        }
        for (const event of events) {
          if (!this.#advance(event)) continue;
          const frame: WatchFrame = { kind: "event", event };
          if (isLast(frame)) await readToEnd(responses, leave);
          yield frame;
        }
      }
    } finally {
      signal?.removeEventListener("abort", abort);
    }
  }

  #request(): WatchTaskRequest {
    const view = this.#options.fullSnapshot === true ? TaskView.TASK_VIEW_FULL : TaskView.TASK_VIEW_BASIC;
    return { id: this.#id, afterSequence: this.#cursor, view };
  }

  /** Moves the cursor to an event; false when it was seen before. A gap means that the stream cannot be trusted: reconnect. */
  #advance({ sequence }: TaskEvent): boolean {
    if (this.#cursor !== undefined) {
      if (sequence <= this.#cursor) return false;
      if (sequence > this.#cursor + 1) {
        this.#gaps += 1;
        throw new TaskwireError({
          code: this.#gaps >= MAX_GAPS ? "DATA_LOSS" : "UNAVAILABLE",
          reason: "EVENT_GAP",
          message: `event ${sequence} of task ${this.#id} came after event ${this.#cursor}`,
        });
      }
    }
    this.#cursor = sequence;
    this.#gaps = 0;
    return true;
  }
}

/**
 * Reads a stream to its end, which follows its last event at once. To leave it before would reset it, and HTTP/2 servers close the
 * connection of a client that resets streams often. A service that does not end the stream is left after a moment all the same.
 */
async function readToEnd(responses: AsyncGenerator<unknown, void, undefined>, leave: AbortController): Promise<void> {
  const timer = setTimeout(() => leave.abort(), END_WAIT_MS);
  try {
    while ((await responses.next()).done !== true);
  } catch {
    // The last event is here: how the stream ends does not matter any more.
  } finally {
    clearTimeout(timer);
  }
}

function isLast(frame: WatchFrame): boolean {
  if (frame.kind === "snapshot") return isTerminal(frame.task.state);
  const kind = frame.event.kind?.$case;
  return kind === "completed" || kind === "failed" || kind === "cancelled";
}

/** Whether a task in this state is finished. */
export function isTerminal(state: State): boolean {
  return state === State.COMPLETED || state === State.FAILED || state === State.CANCELLED;
}
