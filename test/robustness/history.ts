import type { TaskAttempt } from "#libs/proto/gen/taskwire/v1/task.js";
import type { TaskEvent } from "#libs/proto/gen/taskwire/v1/task_event.js";
import type { TaskState } from "#libs/tasks/task-state.js";
import type { JournalLine } from "#test/robustness/effect-journal.js";
import type { TaskConstants, WatchRecord } from "#test/robustness/watches/watch-history.js";

/** What an answer said about a task. */
export interface TaskSnapshot {
  readonly id: string;
  /** The number of the create in the schedule, from the task's label; 0: it has none. */
  readonly op: number;
  readonly state: TaskState;
  readonly attempt: number;
  readonly maxAttempts: number;
  readonly sequence: number;
  readonly workerId: string;
  readonly isCancelRequested: boolean;
  readonly errorCode: string;
  /** As JSON text; empty: none, or the answer leaves it out. */
  readonly result: string;
}

/** How a call ended. `unknown`: nobody can tell whether it was carried out. */
export type CallOutcome = "ok" | "refused" | "unknown";

/** One call of a client. Times are those of `monotonicMs`. */
export interface CallRecord {
  readonly kind: "create" | "batch" | "repeat" | "cancel" | "retry" | "get";
  readonly via: "raw" | "client";
  /** Of creates: the numbers of the tasks in the schedule. */
  readonly ops: readonly number[];
  /** Of other calls: the task. */
  readonly taskId: string;
  readonly beginMs: number;
  readonly endMs: number;
  readonly outcome: CallOutcome;
  /** The gRPC code and reason; empty: it went well. */
  readonly error: string;
  readonly tasks: readonly TaskSnapshot[];
}

/** An event as a stream told it. */
export interface SeenEvent {
  readonly sequence: number;
  readonly revision: number;
  readonly kind: string;
  /** Everything it says. */
  readonly text: string;
}

/** One frame of a stream. */
export interface SeenFrame {
  readonly atMs: number;
  readonly snapshot?: TaskSnapshot;
  readonly events?: readonly SeenEvent[];
  readonly heartbeat?: { readonly revision: number; readonly sequence: number };
}

/** One stream of one watcher, from its call to its end. */
export interface StreamRecord {
  readonly stream: number;
  readonly via: "raw" | "client" | "follower" | "final" | "after restart";
  readonly taskId: string;
  /** `after_sequence`; null: none, so it begins with a snapshot. */
  readonly cursor: number | null;
  readonly beginMs: number;
  endMs: number;
  /** `ok`: the service ended it; `left`: the watcher did; otherwise the error. */
  end: string;
  readonly frames: SeenFrame[];
}

/** A task as it stood when all was over. */
export interface FinalTask {
  readonly snapshot: TaskSnapshot;
  readonly constants: TaskConstants;
  readonly events: readonly TaskEvent[];
  readonly attempts: readonly TaskAttempt[];
}

/** A process of a worker and the id it had. */
export interface WorkerProcess {
  readonly workerId: string;
  readonly pid: number;
}

/** Everything a run has seen. */
export interface RunHistory {
  readonly calls: readonly CallRecord[];
  readonly streams: readonly StreamRecord[];
  /** The streams of WatchTasks, in the order of their numbers. */
  readonly watches: readonly WatchRecord[];
  readonly finals: readonly FinalTask[];
  readonly journal: readonly JournalLine[];
  readonly workers: readonly WorkerProcess[];
  /** Accepted tasks that GetTask did not find in the end. */
  readonly missing: readonly string[];
  /** What `taskwire verify` said about the database in the end. */
  readonly verification: { readonly exitCode: number; readonly output: string };
}
