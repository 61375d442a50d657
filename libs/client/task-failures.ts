import type { Task } from "#libs/proto/gen/taskwire/v1/task.js";

/** A task that was waited for ended FAILED. */
export class TaskFailedError extends Error {
  override readonly name = "TaskFailedError";
  /** The task as it ended; `task.error` says why. */
  readonly task: Task;

  constructor(task: Task) {
    super(
      `task ${task.id} failed after ${task.attempt} attempts: ${task.error?.code ?? ""} ${task.error?.message ?? ""}`,
    );
    this.task = task;
  }
}

/** A task that was waited for ended CANCELLED. */
export class TaskCancelledError extends Error {
  override readonly name = "TaskCancelledError";
  /** The task as it ended. */
  readonly task: Task;

  constructor(task: Task) {
    super(`task ${task.id} was cancelled`);
    this.task = task;
  }
}
