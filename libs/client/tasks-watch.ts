import { delay, jitteredBackoffMs } from "#libs/async/delay.js";
import { isCut } from "#libs/client/is-cut.js";
import { watchTasks } from "#libs/client/service-methods.js";
import { TaskwireError } from "#libs/errors/taskwire-error.js";
import type { Task } from "#libs/proto/gen/taskwire/v1/task.js";
import type { TaskEvent } from "#libs/proto/gen/taskwire/v1/task_event.js";
import {
  EventClass,
  type Unselected,
  type WatchTasksRequest,
  type WatchTasksResponse,
} from "#libs/proto/gen/taskwire/v1/task_service.js";
import type { Channel } from "#libs/rpc/channel.js";

/** A step of the log: an event of a task that matches after it, or that a task left the filter. */
export type WatchedChange =
  | { readonly kind: "event"; readonly event: TaskEvent }
  | { readonly kind: "unselected"; readonly unselected: Unselected };

/** One frame of a watch of many tasks, in the order in which its parts are to be read. */
export interface TasksFrame {
  /** The snapshot begins anew, because events were missed for ever: forget what was told before. Only with `onGap: "snapshot"`. */
  readonly isRestart: boolean;
  /** Revisions of progress events that were left out since the frame before, as later ones of their tasks follow. */
  readonly lagged: readonly number[];
  readonly changes: readonly WatchedChange[];
  /** Tasks of the snapshot. Changes in later frames come on top of them. */
  readonly tasks: readonly Task[];
  /** The snapshot is complete as of this revision. */
  readonly syncedRevision: number | undefined;
  /** Everything up to this revision has been delivered. */
  readonly bookmarkRevision: number | undefined;
  /** What `start` takes to go on after this frame, in this process or another. */
  readonly resumeToken: string;
}

/** A class of events: `states` is everything that is not one of the others. */
export type WatchedClass = "states" | "progress" | "logs" | "output";

/** How many tasks are watched. */
export interface WatchTasksOptions {
  /** A filter in the language of AIP-160 that names id, type, queue, state, priority, attempt, labels, create_time and update_time; default: all tasks. */
  readonly filter?: string;
  /** Where to begin; default: with a snapshot of the tasks that match. */
  readonly start?: "snapshot" | "now" | { readonly afterRevision: number } | { readonly resumeToken: string };
  /** Default: states and progress. */
  readonly classes?: readonly WatchedClass[];
  /** What to do when events were missed that are not kept any more: `fail`, the default, throws OUT_OF_RANGE; `snapshot` begins anew. */
  readonly onGap?: "fail" | "snapshot";
  /** Ends the watch; its reason is thrown. */
  readonly signal?: AbortSignal;
  /** How long the service may be away until the watch gives up, in milliseconds; default 5 min. */
  readonly maxOutageMs?: number;
}

const DEFAULT_MAX_OUTAGE_MS = 5 * 60_000;
const INITIAL_BACKOFF_MS = 100;
const MAX_BACKOFF_MS = 2000;
const CLASSES: Readonly<Record<WatchedClass, EventClass>> = {
  states: EventClass.EVENT_CLASS_STATES,
  progress: EventClass.EVENT_CLASS_PROGRESS,
  logs: EventClass.EVENT_CLASS_LOGS,
  output: EventClass.EVENT_CLASS_OUTPUT,
};

type Start = NonNullable<WatchTasksRequest["start"]>;

/** Follows many tasks through lost connections and restarts of the service; ends only by its signal, by who leaves the loop, or by an error. */
export async function* watchManyTasks(
  channel: Channel,
  options: WatchTasksOptions,
): AsyncGenerator<TasksFrame, void, undefined> {
  const { filter = "", classes = [], signal, maxOutageMs = DEFAULT_MAX_OUTAGE_MS } = options;
  const asked = classes.map((each) => CLASSES[each]);
  let start = startOf(options.start);
  let isRestart = false;
  let failures = 0;
  let heardAtMs = performance.now();
  for (;;) {
    try {
      const request = { filter, start, classes: asked };
      for await (const response of channel.serverStream(watchTasks, request, signal === undefined ? {} : { signal })) {
        heardAtMs = performance.now();
        failures = 0;
        start = { $case: "resumeToken", value: response.resumeToken };
        yield frameOf(response, isRestart);
        isRestart = false;
        heardAtMs = performance.now();
      }
      throw new TaskwireError({ code: "UNAVAILABLE", reason: "STREAM_ENDED", message: "the stream has ended" });
    } catch (error) {
      signal?.throwIfAborted();
      if (isGap(error) && options.onGap === "snapshot") {
        start = { $case: "fromSnapshot", value: true };
        isRestart = true;
        continue;
      }
      if (!isCut(error) || performance.now() - heardAtMs > maxOutageMs) throw error;
    }
    await delay(jitteredBackoffMs(failures, INITIAL_BACKOFF_MS, MAX_BACKOFF_MS), signal);
    failures += 1;
  }
}

function startOf(start: WatchTasksOptions["start"] = "snapshot"): Start {
  if (start === "snapshot") return { $case: "fromSnapshot", value: true };
  if (start === "now") return { $case: "fromNow", value: true };
  if ("afterRevision" in start) return { $case: "afterRevision", value: start.afterRevision };
  return { $case: "resumeToken", value: start.resumeToken };
}

function frameOf(response: WatchTasksResponse, isRestart: boolean): TasksFrame {
  return {
    isRestart,
    lagged: response.lagged?.revisions ?? [],
    changes: response.changes.flatMap(({ kind }): WatchedChange[] => {
      if (kind === undefined) return [];
      return kind.$case === "event"
        ? [{ kind: "event", event: kind.value }]
        : [{ kind: "unselected", unselected: kind.value }];
    }),
    tasks: response.snapshot,
    syncedRevision: response.synced?.revision,
    bookmarkRevision: response.bookmark?.revision,
    resumeToken: response.resumeToken,
  };
}

function isGap(error: unknown): boolean {
  return error instanceof TaskwireError && error.code === "OUT_OF_RANGE";
}
