import type { Task } from "#libs/proto/gen/taskwire/v1/task.js";

/** A task that was waited for ended FAILED. */
export class TaskFailedError extends Error {
  override readonly name = "TaskFailedError";
  /** The task as it ended. */
  readonly task: Task;
  /** Why, as a stable word: that of `task.error`, for example `HANDLER_ERROR`, `HARD_TIMEOUT` or a code of the handler's own. */
  readonly code: string;
  /** What the error says besides code and message; empty when it says nothing. */
  readonly details: Readonly<Record<string, unknown>>;

  constructor(task: Task) {
    const { error, attempt } = task;
    const tries = attempt === 1 ? "1 attempt" : `${attempt} attempts`;
    super(
      `task ${task.id} failed after ${tries}: ${error === undefined ? "no reason was given" : `${error.code} ${error.message}`}`,
    );
    this.task = task;
    this.code = error?.code ?? "";
    this.details = error?.details ?? {};
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
