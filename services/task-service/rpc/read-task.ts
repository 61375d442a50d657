import { TaskwireError } from "#libs/errors/taskwire-error.js";
import type { TaskRecord } from "#task-service/store/task-record.js";
import type { TaskStore } from "#task-service/store/task-store.js";

/** Reads a task; NOT_FOUND when there is none. */
export async function readTask(store: TaskStore, id: string, isFull: boolean): Promise<TaskRecord> {
  const task = await store.read({ kind: "getTask", id, isFull });
  if (task !== null) return task;
  throw taskNotFound(id);
}

/** NOT_FOUND: there is no such task. */
export function taskNotFound(id: string): TaskwireError {
  return new TaskwireError({
    code: "NOT_FOUND",
    reason: "TASK_NOT_FOUND",
    message: `there is no task ${id}`,
    metadata: { id },
  });
}
