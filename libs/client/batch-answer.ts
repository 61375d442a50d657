import type { Caller } from "#libs/client/caller.js";
import { getTask } from "#libs/client/service-methods.js";
import { Task_State as State, TaskView, type Task } from "#libs/proto/gen/taskwire/v1/task.js";
import { CreateTaskRequest } from "#libs/proto/gen/taskwire/v1/task_service.js";

/**
 * Makes a task of a batch answer what CreateTask would have answered: the batch leaves out payload and result. The payload is that
 * of the request; a result exists only where the request id belonged to a task that is finished already.
 */
export function asCreated(task: Task, request: Uint8Array, caller: Caller): Task | Promise<Task> {
  if (task.state === State.COMPLETED) return caller.call(getTask, { id: task.id, view: TaskView.TASK_VIEW_FULL });
  task.payload = CreateTaskRequest.decode(request).task?.payload ?? {};
  return task;
}
