import { TaskwireError } from "#libs/errors/taskwire-error.js";
import { Task } from "#libs/proto/gen/taskwire/v1/task.js";
import type { BatchCreateTasksRequest, CreateTaskRequest } from "#libs/proto/gen/taskwire/v1/task_service.js";
import { MAX_BATCH_REQUESTS } from "#libs/tasks/limits.js";
import { newTask, payloadJsonOf } from "#task-service/rpc/new-task.js";
import { presentNewTask, presentTask } from "#task-service/rpc/present-task.js";
import { queueFull } from "#task-service/rpc/queue-full.js";
import { validateCreate } from "#task-service/rpc/validate-task.js";
import { Violations } from "#task-service/rpc/violations.js";
import type { NewTask } from "#task-service/store/task-record.js";
import type { TaskStore } from "#task-service/store/task-store.js";

/** What creating needs besides the store: dispatch, so that fresh tasks go straight from the commit to NATS. */
export interface CreateContext {
  readonly store: TaskStore;
  readonly expect: (tasks: readonly NewTask[]) => void;
  readonly forget: (tasks: readonly NewTask[]) => void;
}

/** A request that asks for one task. */
type OneTaskRequest = Pick<CreateTaskRequest, "task" | "requestId">;

/**
 * CreateTask: validates, commits, answers. `violations`: what is wrong with the rest of the request. `mustExist`: only the task that this
 * request has made before is meant.
 */
export async function createTask(
  context: CreateContext,
  request: OneTaskRequest,
  { violations = new Violations(), mustExist = false } = {},
): Promise<Task> {
  const payloadJson = payloadJsonOf(request);
  validateCreate(request, payloadJson, "", violations);
  violations.throwIfAny();
  const asked = request.task ?? Task.create();
  const task = newTask(request.requestId, asked, payloadJson);
  const [existing] = await commit(context, [task], "request_id", mustExist);
  return existing === null || existing === undefined ? presentNewTask(task, asked, true) : presentTask(existing);
}

/** BatchCreateTasks: validates all, commits all or none, answers in order. */
export async function batchCreateTasks(context: CreateContext, request: BatchCreateTasksRequest): Promise<Task[]> {
  const { requests } = request;
  const violations = new Violations();
  const count = requests.length;
  violations.expect(
    count >= 1 && count <= MAX_BATCH_REQUESTS,
    "requests",
    `must hold 1 to ${MAX_BATCH_REQUESTS} requests`,
  );
  violations.throwIfAny();
  const payloads = requests.map(payloadJsonOf);
  for (const [index, one] of requests.entries())
    validateCreate(one, payloads[index] ?? "{}", `requests[${index}].`, violations);
  violations.throwIfAny();
  const asked = requests.map((one) => one.task ?? Task.create());
  const tasks = asked.map((task, index) => newTask(requests[index]?.requestId ?? "", task, payloads[index] ?? "{}"));
  const existing = await commit(context, tasks, (index) => `requests[${index}].request_id`);
  return tasks.map((task, index) => {
    const record = existing[index] ?? null;
    if (record === null) return presentNewTask(task, asked[index] ?? Task.create(), false);
    return presentTask({ ...record, payloadJson: "", resultJson: null, webhookJson: null });
  });
}

async function commit(
  context: CreateContext,
  tasks: readonly NewTask[],
  fieldOf: string | ((index: number) => string),
  mustExist = false,
) {
  context.expect(tasks);
  try {
    const result = await context.store.write({ kind: "create", tasks, ...(mustExist ? { mustExist } : {}) });
    if (result.kind === "created") {
      context.forget(tasks.filter((_, index) => result.existing[index] !== null));
      return result.existing;
    }
    if (result.kind === "queueFull") throw queueFull(result.queue);
    if (result.kind === "missing") throw requestUnknown();
    throw requestIdReused(typeof fieldOf === "string" ? fieldOf : fieldOf(result.index));
  } catch (error) {
    context.forget(tasks);
    throw error;
  }
}

function requestUnknown(): TaskwireError {
  return new TaskwireError({
    code: "NOT_FOUND",
    reason: "TASK_NOT_FOUND",
    message: "no task was made with this request_id, or its retention has passed",
  });
}

function requestIdReused(field: string): TaskwireError {
  return new TaskwireError({
    code: "ALREADY_EXISTS",
    reason: "REQUEST_ID_REUSED",
    message: `${field} was used before with another body: give every different request an id of its own`,
    metadata: { field },
  });
}
