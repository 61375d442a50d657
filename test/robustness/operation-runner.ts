import { batchCreateTasks, cancelTask, createTask, getTask } from "#libs/client/service-methods.js";
import { encodeCreateRequest, type CreateOptions } from "#libs/client/create-request.js";
import { TaskwireClient } from "#libs/client/taskwire-client.js";
import { TaskView, Task } from "#libs/proto/gen/taskwire/v1/task.js";
import { CreateTaskRequest, RetryTaskRequest, TaskServiceService } from "#libs/proto/gen/taskwire/v1/task_service.js";
import { Channel } from "#libs/rpc/channel.js";
import { OP_LABEL, snapshotOf } from "#test/robustness/record-task.js";
import type { Recorder } from "#test/robustness/recorder.js";
import type { Operation, TaskSpec, Via } from "#test/robustness/steps.js";
import { TaskObserver } from "#test/robustness/task-observer.js";

const CALL_TIMEOUT_MS = 4000;
const retryTask = { path: TaskServiceService.retryTask.path, request: RetryTaskRequest, response: Task };

/** Does what the schedule wants clients to do, through the clients' proxy, and records it. */
export class OperationRunner {
  readonly #recorder: Recorder;
  readonly #channel: Channel;
  readonly #client: TaskwireClient;
  readonly #observer: TaskObserver;
  readonly #runName: string;

  /** @param runName - makes request ids of this run its own */
  constructor(address: string, runName: string, recorder: Recorder) {
    this.#recorder = recorder;
    this.#runName = runName;
    this.#channel = new Channel({ address });
    this.#client = new TaskwireClient({ address, callTimeoutMs: CALL_TIMEOUT_MS, retryForMs: CALL_TIMEOUT_MS * 2 });
    this.#observer = new TaskObserver(address, this.#client, recorder);
  }

  /** Does one operation. Never rejects because of what the service says. */
  async run(operation: Operation, signal: AbortSignal): Promise<void> {
    switch (operation.kind) {
      case "create":
        await this.#create(operation, operation.via, operation.named);
        break;
      case "repeat":
        await this.#create(operation, "raw", true);
        break;
      case "batch":
        await this.#batch(operation.ops, operation.specs);
        break;
      case "cancel": {
        const { via, pick, among } = operation;
        const ids = among === "all" ? this.#recorder.accepted : this.#recorder.unfinished;
        await this.#onTask("cancel", via, picked(ids, pick), (id) => this.#cancel(id, via));
        break;
      }
      case "retry":
        await this.#onTask("retry", "raw", picked(this.#recorder.unsuccessful, operation.pick), (id) => {
          const sequence = operation.fenced ? this.#recorder.lastSeen(id) : undefined;
          return this.#channel.unary(retryTask, { id, sequence }, { timeoutMs: CALL_TIMEOUT_MS });
        });
        break;
      case "get":
        await this.#onTask("get", "raw", picked(this.#recorder.accepted, operation.pick), (id) =>
          this.#channel.unary(getTask, { id, view: TaskView.TASK_VIEW_FULL }, { timeoutMs: CALL_TIMEOUT_MS }),
        );
        break;
      case "watch": {
        const id = picked(this.#recorder.accepted, operation.pick);
        if (id !== undefined) await this.#observer.watch(id, operation.via, operation.legs, signal);
        break;
      }
    }
  }

  /** Closes the connections. */
  close(): void {
    this.#observer.close();
    this.#client.close();
    this.#channel.close();
  }

  async #create(operation: Extract<Operation, { op: number }>, via: Via, named: boolean): Promise<void> {
    const { kind, op, spec } = operation;
    const options = this.#options(op, spec, named);
    const { type, payload } = spec;
    await this.#recorder.call({ kind, via, ops: [op], taskId: "" }, async () => {
      const create = () =>
        this.#channel.unary(createTask, encodeCreateRequest(type, payload, options, false), {
          timeoutMs: CALL_TIMEOUT_MS,
        });
      return [snapshotOf(via === "raw" ? await create() : await this.#client.create(type, payload, options))];
    });
  }

  async #batch(ops: readonly number[], specs: readonly TaskSpec[]): Promise<void> {
    const requests = specs.map((spec, index) =>
      CreateTaskRequest.decode(
        encodeCreateRequest(spec.type, spec.payload, this.#options(ops[index] ?? 0, spec, false), false),
      ),
    );
    await this.#recorder.call({ kind: "batch", via: "raw", ops, taskId: "" }, async () => {
      const { tasks } = await this.#channel.unary(batchCreateTasks, { requests }, { timeoutMs: CALL_TIMEOUT_MS });
      return tasks.map(snapshotOf);
    });
  }

  #cancel(id: string, via: "raw" | "client"): Promise<Task> {
    const reason = "the schedule says so";
    if (via === "client") return this.#client.cancel(id, reason);
    return this.#channel.unary(cancelTask, { id, reason }, { timeoutMs: CALL_TIMEOUT_MS });
  }

  async #onTask(
    kind: "cancel" | "retry" | "get",
    via: Via,
    id: string | undefined,
    call: (id: string) => Promise<Task>,
  ): Promise<void> {
    if (id === undefined) return;
    await this.#recorder.call({ kind, via, ops: [], taskId: id }, async () => [snapshotOf(await call(id))]);
  }

  #options(op: number, spec: TaskSpec, named: boolean): CreateOptions {
    const { type: _type, payload: _payload, runInMs, ...options } = spec;
    return {
      ...options,
      labels: { [OP_LABEL]: String(op) },
      ...(named ? { requestId: `${this.#runName}-${op}` } : {}),
      ...(runInMs === undefined ? {} : { runTime: new Date(Date.now() + runInMs) }),
    };
  }
}

/** 0 picks the latest, almost 1 the first. */
function picked(ids: readonly string[], pick: number): string | undefined {
  return ids[ids.length - 1 - Math.floor(pick * ids.length)];
}
