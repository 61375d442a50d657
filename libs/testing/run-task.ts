import type { TaskDefinition } from "#libs/define-task/define-task.js";
import { TaskRun, type TaskRunOptions } from "#libs/testing/task-run.js";

export type { AttemptRecord, TaskRun, TaskRunOptions } from "#libs/testing/task-run.js";
export type { HeardLine } from "#libs/testing/heard-speech.js";
export type { Failure, StateName } from "#libs/testing/task-life.js";

/** How a task is run to its end. */
export interface RunTaskOptions extends TaskRunOptions {
  /** Most attempts that are run; default: until the task ends. */
  readonly attempts?: number;
}

/**
 * Runs a task to its end without servers: one attempt after the other, with no wait between them, as the retry delays pass on the test's
 * clock only. A failed task is no error: look at `state`, `error` and `attempts`.
 *
 * Throws a TypeError for a payload that the task-service would not take: no JSON object, more than 256 KiB, more than 30 levels.
 */
export async function runTask<P, R>(
  definition: TaskDefinition<P, R>,
  payload: object,
  options: RunTaskOptions = {},
): Promise<TaskRun<R>> {
  const run = startTask(definition, payload, options);
  await run.toEnd(options.attempts);
  run.close();
  return run;
}

/** Starts a task without servers and returns at once, for tests that move the time or stop the handler. Throws as {@link runTask} does. */
export function startTask<P, R>(
  definition: TaskDefinition<P, R>,
  payload: object,
  options: TaskRunOptions = {},
): TaskRun<R> {
  return new TaskRun<R>(definition, payload, options);
}
