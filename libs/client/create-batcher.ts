import { BinaryWriter } from "@bufbuild/protobuf/wire";
import { asCreated } from "#libs/client/batch-answer.js";
import type { Caller } from "#libs/client/caller.js";
import { batchCreateTasks, createTask } from "#libs/client/service-methods.js";
import { TaskwireError } from "#libs/errors/taskwire-error.js";
import type { Task } from "#libs/proto/gen/taskwire/v1/task.js";
import { CreateTaskRequest } from "#libs/proto/gen/taskwire/v1/task_service.js";
import { DEFAULT_QUEUE } from "#libs/tasks/names.js";

/** How single creates are gathered. */
export interface BatchingOptions {
  /** Most creates of one call; [1, 1000], default 500. */
  readonly maxRequests?: number;
  /** Most bytes of one call; at most 4 MiB, default 1 MiB. A larger create travels alone. */
  readonly maxBytes?: number;
  /** Most calls under way; default 2. What arrives meanwhile forms the next call. */
  readonly maxUnderWay?: number;
  /** Most creates that wait; default 100,000. Beyond: RESOURCE_EXHAUSTED (`CLIENT_QUEUE_FULL`). */
  readonly maxWaiting?: number;
}

/** One create that waits for its answer. */
interface Entry {
  readonly request: Uint8Array;
  /** The caller's own request id, if any; two of the same must not meet in one batch. */
  readonly requestId: string | undefined;
  readonly resolve: (task: Task | Promise<Task>) => void;
  readonly reject: (error: unknown) => void;
}

const MEMBER = /^requests\[(\d+)\]/;

/**
 * Lets single creates that are issued together travel together, without timers: while calls are under way, what arrives forms the
 * next one. A create keeps the meaning and the errors of CreateTask: when a batch is refused, the members to blame, or all where
 * none is named, are created one by one.
 */
export class CreateBatcher {
  readonly #caller: Caller;
  readonly #limits: Required<BatchingOptions>;
  readonly #writer = new BinaryWriter();
  #waiting: Entry[] = [];
  #underWay = 0;
  #scheduled = false;

  constructor(caller: Caller, options: BatchingOptions) {
    this.#caller = caller;
    this.#limits = { maxRequests: 500, maxBytes: 1024 * 1024, maxUnderWay: 2, maxWaiting: 100_000, ...options };
  }

  /** @param request - an encoded CreateTaskRequest */
  create(request: Uint8Array, requestId: string | undefined): Promise<Task> {
    return new Promise((resolve, reject) => {
      if (this.#waiting.length >= this.#limits.maxWaiting) {
        reject(queueFull(this.#limits.maxWaiting));
        return;
      }
      this.#waiting.push({ request, requestId, resolve, reject });
      this.#schedule();
    });
  }

  /** Not at once but after the callers that run now, because they may create more. */
  #schedule(): void {
    if (this.#scheduled || this.#underWay >= this.#limits.maxUnderWay) return;
    this.#scheduled = true;
    process.nextTick(() => {
      this.#scheduled = false;
      if (this.#waiting.length > 0) void this.#send(this.#take());
      if (this.#waiting.length > 0) this.#schedule();
    });
  }

  /** The next batch, within all bounds. */
  #take(): Entry[] {
    const { maxRequests, maxBytes } = this.#limits;
    const ids = new Set<string>();
    let bytes = 0;
    let count = 0;
    for (const { request, requestId } of this.#waiting) {
      bytes += request.length + 8;
      if (count >= maxRequests || (count > 0 && bytes > maxBytes)) break;
      if (requestId !== undefined) {
        if (ids.has(requestId)) break;
        ids.add(requestId);
      }
      count += 1;
    }
    if (count < this.#waiting.length) return this.#waiting.splice(0, count);
    const all = this.#waiting;
    this.#waiting = [];
    return all;
  }

  async #send(entries: Entry[]): Promise<void> {
    this.#underWay += 1;
    await (entries.length === 1 ? this.#createEach(entries) : this.#createTogether(entries));
    this.#underWay -= 1;
    if (this.#waiting.length > 0) this.#schedule();
  }

  async #createTogether(entries: Entry[]): Promise<void> {
    const refusal = await this.#tryTogether(entries);
    if (refusal !== undefined) await this.#createWhileRoom(entries, refusal);
  }

  /** Creates all; when a queue has no room for them nothing is created, and nobody answered: the refusal is returned. */
  async #tryTogether(entries: Entry[]): Promise<TaskwireError | undefined> {
    try {
      const { tasks } = await this.#caller.call(batchCreateTasks, this.#encode(entries));
      if (tasks.length !== entries.length) throw miscounted(entries.length, tasks.length);
      for (const [index, task] of tasks.entries()) {
        const entry = entries[index];
        entry?.resolve(asCreated(task, entry.request, this.#caller));
      }
    } catch (error) {
      if (isQueueFull(error)) return error;
      if (isMembersFault(error)) await this.#separate(entries, error);
      else for (const entry of entries) entry.reject(error);
    }
    return undefined;
  }

  /**
   * A queue has no room for all of its members, perhaps for some. Those of other queues go on together; its own go in parts that double
   * until not even one is taken. So a full queue is asked a few times and not once for each create.
   */
  async #createWhileRoom(entries: Entry[], full: TaskwireError): Promise<void> {
    const isOfQueue = ({ request }: Entry) => queueOf(request) === full.metadata["queue"];
    const others = entries.filter((entry) => !isOfQueue(entry));
    if (others.length > 0 && others.length < entries.length) await this.#createTogether(others);
    let own = others.length < entries.length ? entries.filter(isOfQueue) : entries;
    let size = 1;
    while (own.length > 0) {
      const refusal = await this.#tryTogether(own.slice(0, size));
      if (refusal === undefined) {
        own = own.slice(size);
        size *= 2;
      } else if (size > 1) {
        size = Math.floor(size / 2);
      } else {
        for (const entry of own) entry.reject(refusal);
        return;
      }
    }
  }

  /** The members that an error names go alone; so do all when it names none. */
  async #separate(entries: Entry[], error: TaskwireError): Promise<void> {
    const named = new Set(error.violations.map(({ field }) => Number(MEMBER.exec(field)?.[1] ?? -1)));
    const blamed = entries.filter((_, index) => named.has(index));
    const others = entries.filter((_, index) => !named.has(index));
    if (blamed.length === 0 || others.length < 2) {
      await this.#createEach(entries);
      return;
    }
    await Promise.all([this.#createEach(blamed), this.#createTogether(others)]);
  }

  async #createEach(entries: Entry[]): Promise<void> {
    await Promise.all(
      entries.map(({ request, resolve, reject }) => this.#caller.call(createTask, request).then(resolve, reject)),
    );
  }

  #encode(entries: readonly Entry[]): Uint8Array {
    for (const { request } of entries) this.#writer.uint32(10).bytes(request);
    return this.#writer.finish();
  }
}

function isQueueFull(error: unknown): error is TaskwireError {
  return error instanceof TaskwireError && error.reason === "QUEUE_FULL";
}

function queueOf(request: Uint8Array): string {
  return CreateTaskRequest.decode(request).task?.queue || DEFAULT_QUEUE;
}

/** Whether a batch was refused because of what its members say, so that others may be accepted. */
function isMembersFault(error: unknown): error is TaskwireError {
  if (!(error instanceof TaskwireError)) return false;
  switch (error.code) {
    case "UNAVAILABLE":
    case "DEADLINE_EXCEEDED":
    case "CANCELLED":
    case "INTERNAL":
    case "UNKNOWN":
    case "PERMISSION_DENIED":
    case "UNAUTHENTICATED":
      return false;
    case "RESOURCE_EXHAUSTED":
      return error.reason === "MESSAGE_TOO_LARGE" || error.violations.length > 0;
    default:
      return true;
  }
}

function queueFull(maxWaiting: number): TaskwireError {
  return new TaskwireError({
    code: "RESOURCE_EXHAUSTED",
    reason: "CLIENT_QUEUE_FULL",
    message: `${maxWaiting} creates wait in this client already: await earlier ones first`,
    metadata: { max_waiting: String(maxWaiting) },
  });
}

function miscounted(asked: number, answered: number): TaskwireError {
  return new TaskwireError({
    code: "INTERNAL",
    reason: "MALFORMED_ANSWER",
    message: `the server answered ${asked} creates with ${answered} tasks`,
  });
}
