import type { CommitCounts } from "#task-service/store/commit-counts.js";
import type { TaskMoment } from "#task-service/store/log/log-selector.js";
import type { TaskState } from "#libs/tasks/task-state.js";

/** A committed event, encoded once as `taskwire.v1.TaskEvent`. */
export interface CommittedEvent {
  readonly revision: number;
  readonly taskId: string;
  readonly sequence: number;
  readonly isTerminal: boolean;
  readonly body: Uint8Array;
  /** The task after its event before; state 0: there was none. */
  readonly before: TaskMoment;
}

/** How a task stands after a commit; what dispatch and leases go by. */
export interface TaskChange {
  readonly id: string;
  readonly key: number;
  readonly queue: string;
  readonly type: string;
  readonly priority: number;
  readonly labelsJson: string;
  readonly runTimeMs: number;
  /** Its run time was in the future: upkeep makes it due. */
  readonly isWaiting: boolean;
  readonly state: TaskState;
  readonly attempt: number;
  readonly workerId: string | null;
  readonly isCancelRequested: boolean;
  readonly cancelReason: string;
}

/** What one commit changed. */
export interface Commit {
  /** The log's revision after it. */
  readonly revision: number;
  readonly events: readonly CommittedEvent[];
  readonly changes: readonly TaskChange[];
  /** One for each transaction it was made of. */
  readonly counts: readonly CommitCounts[];
}
