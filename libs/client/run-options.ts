import type { CreateOptions, TaskPayload } from "#libs/client/create-request.js";
import type { TaskEvent } from "#libs/proto/gen/taskwire/v1/task_event.js";

/** One task of `createMany`. */
export interface NewTask extends CreateOptions {
  /** The name of the handler, for example `report.generate`. */
  readonly type: string;
  /** The handler's input; default `{}`. */
  readonly payload?: TaskPayload;
}

/** What may be said about `run` besides the task. */
export interface RunOptions extends CreateOptions {
  /** Stops waiting; its reason is thrown. The task itself goes on: use `cancel` to stop it. */
  readonly signal?: AbortSignal;
  /** Hears each event of the task as it comes. */
  readonly onEvent?: (event: TaskEvent) => void;
}
