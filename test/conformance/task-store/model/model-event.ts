import type { TaskState } from "#libs/tasks/task-state.js";

/** An event as the model expects it. */
export interface ModelEvent {
  readonly taskId: string;
  readonly sequence: number;
  readonly kind: string;
  readonly state: TaskState;
  readonly attempt: number;
  readonly timeMs: number;
  /** Some of what the event says of its kind. */
  readonly says: Readonly<Record<string, unknown>>;
  /** Known once the store has told it. */
  revision: number;
}
