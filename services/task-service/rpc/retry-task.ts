import { TaskwireError, type ErrorCode } from "#libs/errors/taskwire-error.js";
import type { Task } from "#libs/proto/gen/taskwire/v1/task.js";
import type { RetryTaskRequest } from "#libs/proto/gen/taskwire/v1/task_service.js";
import { presentTask } from "#task-service/rpc/present-task.js";
import { queueFull } from "#task-service/rpc/queue-full.js";
import { readTask } from "#task-service/rpc/read-task.js";
import { requireTaskId, Violations } from "#task-service/rpc/violations.js";
import type { TaskStore } from "#task-service/store/task-store.js";

/** RetryTask: opens a finished task again. */
export async function retryTask(store: TaskStore, request: RetryTaskRequest): Promise<Task> {
  const violations = new Violations();
  const sequence = request.sequence ?? null;
  violations.expect(sequence === null || sequence >= 0, "sequence", "must not be negative");
  const id = requireTaskId(request.id, violations);
  const { queue } = await readTask(store, id, false);
  const { verdict } = await store.write({ kind: "reopen", id, sequence });
  switch (verdict) {
    case "reopened":
    case "notFound":
      return presentTask(await readTask(store, id, true));
    case "queueFull":
      throw queueFull(queue);
    case "notFinished":
      throw refused(
        "FAILED_PRECONDITION",
        "TASK_NOT_FINISHED",
        id,
        "has not ended; only a finished task can be retried",
      );
    case "completed":
      throw refused("FAILED_PRECONDITION", "TASK_COMPLETED", id, "has completed; create a new one to run it again");
    case "changed":
      throw refused("ABORTED", "TASK_CHANGED", id, "has changed since that sequence; read it again");
  }
}

function refused(code: ErrorCode, reason: string, id: string, what: string): TaskwireError {
  return new TaskwireError({ code, reason, message: `task ${id} ${what}`, metadata: { id } });
}
