import { BinaryWriter } from "@bufbuild/protobuf/wire";
import { asCreated } from "#libs/client/batch-answer.js";
import { Caller } from "#libs/client/caller.js";
import type { TaskwireClientOptions } from "#libs/client/client-options.js";
import { CreateBatcher, type BatchingOptions } from "#libs/client/create-batcher.js";
import { durationOf, encodeCreateRequest, type CreateOptions, type TaskPayload } from "#libs/client/create-request.js";
import type { NewTask, RunOptions } from "#libs/client/run-options.js";
import { resultOf } from "#libs/client/run-result.js";
import * as methods from "#libs/client/service-methods.js";
import { TaskCancelledError, TaskFailedError } from "#libs/client/task-failures.js";
import { paged } from "#libs/client/paged.js";
import { listRequest, type EventsOptions, type ListOptions, type ListPageOptions } from "#libs/client/task-query.js";
import { runStream, TaskWatch, watchStream, type WatchFrame, type WatchOptions } from "#libs/client/task-watch.js";
import {
  watchManyTasks,
  type TasksFrame,
  type WatchedChange,
  type WatchedClass,
  type WatchTasksOptions,
} from "#libs/client/tasks-watch.js";
import { waitForTasks, type WaitOptions } from "#libs/client/wait-for.js";
import { TaskwireError } from "#libs/errors/taskwire-error.js";
import {
  Task_State as TaskState,
  TaskAttempt_Outcome as AttemptOutcome,
  TaskView,
  type Task,
  type TaskAttempt,
  type TaskError,
} from "#libs/proto/gen/taskwire/v1/task.js";
import type { TaskEvent } from "#libs/proto/gen/taskwire/v1/task_event.js";
import type { TaskExplanation } from "#libs/proto/gen/taskwire/v1/task_explanation.js";
import type { Worker } from "#libs/proto/gen/taskwire/v1/worker_service.js";
import { Channel } from "#libs/rpc/channel.js";

export { AttemptOutcome, TaskCancelledError, TaskFailedError, TaskState, TaskwireError };
export type {
  BatchingOptions,
  CreateOptions,
  EventsOptions,
  ListOptions,
  ListPageOptions,
  NewTask,
  RunOptions,
  Task,
  TaskAttempt,
  TaskError,
  TaskEvent,
  TaskExplanation,
  TaskPayload,
  TasksFrame,
  TaskwireClientOptions,
  WaitOptions,
  WatchedChange,
  WatchedClass,
  WatchFrame,
  WatchOptions,
  WatchTasksOptions,
  Worker,
};

const DEFAULT_ADDRESS = "127.0.0.1:50051";
const DEFAULT_CALL_TIMEOUT_MS = 30_000;
const DEFAULT_RETRY_FOR_MS = 30_000;
const DEFAULT_PING_TIMEOUT_MS = 5000;
const PING_GRACE_MS = 5000;

/**
 * A client of a Taskwire service. All methods throw {@link TaskwireError} with the service's code, reason and violated fields.
 *
 * @example
 * const client = new TaskwireClient();
 * const task = await client.create("text.digest", { text: "…" });
 * for await (const frame of client.watch(task.id)) console.log(frame);
 * client.close();
 */
export class TaskwireClient {
  readonly #channel: Channel;
  readonly #caller: Caller;
  readonly #batcher: CreateBatcher | undefined;

  constructor(options: TaskwireClientOptions = {}) {
    this.#channel = new Channel({
      address: options.address ?? DEFAULT_ADDRESS,
      hasOwnConnection: options.ownConnection ?? false,
    });
    this.#caller = new Caller(this.#channel, {
      callTimeoutMs: options.callTimeoutMs ?? DEFAULT_CALL_TIMEOUT_MS,
      retryForMs: options.retryForMs ?? DEFAULT_RETRY_FOR_MS,
    });
    const batching = options.batching ?? true;
    if (batching !== false) this.#batcher = new CreateBatcher(this.#caller, batching === true ? {} : batching);
  }

  /**
   * Creates a task. When the promise resolves the task is on the service's disk.
   *
   * @param type - the name of the handler
   * @param payload - its input, at most 256 KiB as JSON and 30 levels deep; default `{}`
   */
  create(type: string, payload?: TaskPayload, options: CreateOptions = {}): Promise<Task> {
    let request: Uint8Array;
    try {
      request = encodeCreateRequest(type, payload, options, this.#caller.retries);
    } catch (error) {
      return Promise.reject(error);
    }
    if (this.#batcher !== undefined) return this.#batcher.create(request, options.requestId);
    return this.#caller.call(methods.createTask, request);
  }

  /**
   * Creates up to 1,000 tasks in one commit: all or none.
   *
   * @returns the tasks in the same order
   */
  async createMany(tasks: readonly NewTask[]): Promise<Task[]> {
    const repeatable = this.#caller.retries;
    const requests = tasks.map((task) => encodeCreateRequest(task.type, task.payload, task, repeatable));
    const writer = new BinaryWriter();
    for (const request of requests) writer.uint32(10).bytes(request);
    const answer = await this.#caller.call(methods.batchCreateTasks, writer.finish());
    return Promise.all(
      answer.tasks.map(async (task, index) => asCreated(task, requests[index] ?? noBytes, this.#caller)),
    );
  }

  /**
   * Creates a task and waits for its end, in one stream: through lost connections and restarts of the service, and never creating it twice.
   *
   * @returns what its handler returned
   * @throws {@link TaskFailedError} or {@link TaskCancelledError} with the task
   */
  run(type: string, payload?: TaskPayload, options: RunOptions = {}): Promise<unknown> {
    return resultOf(this.runFrames(type, payload, options), (id) => this.get(id), options.onEvent);
  }

  /**
   * Creates a task and follows it to its end, as {@link watch} does; the first frame is the accepted task. Leaving the loop leaves the task
   * running, unless `cancelUnwatchedAfterMs` is set.
   */
  async *runFrames(
    type: string,
    payload?: TaskPayload,
    options: CreateOptions & { readonly signal?: AbortSignal } = {},
  ): AsyncGenerator<WatchFrame, void, undefined> {
    const request = encodeCreateRequest(type, payload, options, true);
    const watch = {
      ...(options.signal === undefined ? {} : { signal: options.signal }),
      ...(this.#caller.retries ? {} : { maxOutageMs: 0 }),
    };
    yield* new TaskWatch(runStream(this.#channel, request), watch).frames();
  }

  /** Returns a task as it stands, with payload and result unless `full` is false. */
  get(id: string, options: { readonly full?: boolean; readonly signal?: AbortSignal } = {}): Promise<Task> {
    const view = options.full === false ? TaskView.TASK_VIEW_BASIC : TaskView.TASK_VIEW_FULL;
    return this.#caller.call(methods.getTask, { id, view }, options.signal);
  }

  /** Iterates over all matching tasks, page by page as they are asked for. */
  list(options: ListOptions = {}): AsyncGenerator<Task, void, undefined> {
    return paged(async (pageToken) => {
      const { tasks: items, nextPageToken } = await this.listPage({ ...options, pageToken });
      return { items, nextPageToken };
    });
  }

  /** Returns one page; an empty `nextPageToken` is the only sign of the end. */
  listPage(options: ListPageOptions = {}): Promise<{ tasks: Task[]; nextPageToken: string }> {
    return this.#caller.call(methods.listTasks, listRequest(options));
  }

  /**
   * Asks for a task to be stopped. One that has not started is CANCELLED at once, unless it may have been handed to a worker a moment
   * before; that one and a running one are once the worker has stopped or killed the handler.
   *
   * @param reason - for people; at most 500 characters
   */
  cancel(id: string, reason = ""): Promise<Task> {
    return this.#caller.call(methods.cancelTask, { id, reason });
  }

  /**
   * Opens a FAILED or CANCELLED task again, due now, for a new round of attempts. Its history and its error stay.
   *
   * @param options - `sequence`: the `sequence` of the task as it was read; it is opened only if nothing has happened to it since. With it
   * the call is tried again like the others, without it never, because a second call might open the task a second time
   * @throws TaskwireError FAILED_PRECONDITION (`TASK_NOT_FINISHED`, `TASK_COMPLETED`); ABORTED (`TASK_CHANGED`) for an old sequence, also
   * when an earlier try of this call has opened the task and its answer was lost; RESOURCE_EXHAUSTED (`QUEUE_FULL`)
   */
  retry(id: string, options: { readonly sequence?: number } = {}): Promise<Task> {
    const { sequence } = options;
    if (sequence === undefined) return this.#caller.once(methods.retryTask, { id });
    return this.#caller.call(methods.retryTask, { id, sequence });
  }

  /**
   * Iterates over the attempts of a task, the first one first, page by page as they are asked for.
   *
   * @param options - `pageSize`: attempts per page; [1, 1000], default 50
   */
  attempts(id: string, options: { readonly pageSize?: number } = {}): AsyncGenerator<TaskAttempt, void, undefined> {
    const pageSize = options.pageSize ?? 0;
    return paged(async (pageToken) => {
      const page = await this.#caller.call(methods.listTaskAttempts, { id, pageSize, pageToken });
      return { items: page.attempts, nextPageToken: page.nextPageToken };
    });
  }

  /**
   * Iterates over what has happened to a task, page by page as the events are asked for. It ends with the last event there is; use
   * {@link watch} to go on from there.
   */
  events(id: string, options: EventsOptions = {}): AsyncGenerator<TaskEvent, void, undefined> {
    const orderBy = options.order === "desc" ? "sequence desc" : "sequence";
    const pageSize = options.pageSize ?? 0;
    return paged(async (pageToken) => {
      const page = await this.#caller.call(methods.listTaskEvents, { id, pageSize, pageToken, orderBy });
      return { items: page.events, nextPageToken: page.nextPageToken };
    });
  }

  /** Says why a task is not running, or how it runs or ended: reasons, the most important first, and a sentence made of them. */
  explain(id: string): Promise<TaskExplanation> {
    return this.#caller.call(methods.explainTask, { id });
  }

  /**
   * Follows a task to its end, through lost connections and restarts of the service: in order, nothing twice, nothing left out.
   * Ends after the latest terminal event, not at one after which the task was opened again; leaving the loop ends the watch.
   */
  watch(id: string, options: WatchOptions = {}): AsyncGenerator<WatchFrame, void, undefined> {
    return new TaskWatch(watchStream(this.#channel, id, options), options).frames();
  }

  /**
   * Follows all tasks that a filter selects, through lost connections and restarts of the service, over one cursor: in order, nothing twice,
   * nothing left out but what `lagged` names. It does not end by itself; leaving the loop ends the watch.
   *
   * @throws TaskwireError INVALID_ARGUMENT; OUT_OF_RANGE (`REVISION_COMPACTED`, `CURSOR_AHEAD`) unless `onGap` is `snapshot`
   */
  watchTasks(options: WatchTasksOptions = {}): AsyncGenerator<TasksFrame, void, undefined> {
    return watchManyTasks(this.#channel, options);
  }

  /**
   * Waits until a task is finished, or each of many: as many as you like, over one stream for 200 of them.
   *
   * @returns the task, or the tasks in the same order, as they stand then, with payload and result
   * @throws TaskwireError NOT_FOUND (`TASK_NOT_FOUND`): there is no such task
   */
  waitFor(id: string, options?: WaitOptions): Promise<Task>;
  waitFor(ids: readonly string[], options?: WaitOptions): Promise<Task[]>;
  async waitFor(asked: string | readonly string[], options: WaitOptions = {}): Promise<Task | Task[]> {
    await waitForTasks(this.#channel, typeof asked === "string" ? [asked] : asked, options);
    return typeof asked === "string" ? this.get(asked) : Promise.all(asked.map((id) => this.get(id)));
  }

  /** Returns the workers that are alive. */
  async workers(): Promise<Worker[]> {
    return (await this.#caller.call(methods.listWorkers, {})).workers;
  }

  /**
   * Sends a message through the service and NATS to a worker and back.
   *
   * @param options - `workerId`: which one, default any; `timeoutMs`: how long to wait, [1 ms, 60 s], default 5 s
   */
  async ping(
    options: { readonly workerId?: string; readonly timeoutMs?: number } = {},
  ): Promise<{ workerId: string; roundTripMs: number }> {
    const timeoutMs = options.timeoutMs ?? DEFAULT_PING_TIMEOUT_MS;
    const request = { workerId: options.workerId ?? "", timeout: durationOf(timeoutMs) };
    const { workerId, roundTrip } = await this.#caller.once(
      methods.ping,
      request,
      Math.max(0, timeoutMs) + PING_GRACE_MS,
    );
    return { workerId, roundTripMs: (roundTrip?.seconds ?? 0) * 1000 + (roundTrip?.nanos ?? 0) / 1e6 };
  }

  /** Resolves when the service can be reached. @throws TaskwireError UNAVAILABLE after `timeoutMs` milliseconds */
  ready(timeoutMs = DEFAULT_CALL_TIMEOUT_MS): Promise<void> {
    return this.#channel.waitForReady(timeoutMs);
  }

  /** Closes the connection. Await what is under way first; calls that wait to be tried again fail. */
  close(): void {
    this.#caller.close();
    this.#channel.close();
  }
}

const noBytes = new Uint8Array();
