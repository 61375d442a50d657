import type { FilterExpression } from "#libs/tasks/filter/filter-expression.js";
import type { LogSelection } from "#task-service/store/log/log-selector.js";
import type { TaskState } from "#libs/tasks/task-state.js";
import type {
  AttemptRecord,
  OverdueTask,
  DispatchKey,
  DueTask,
  RunningTask,
  TaskRecord,
  UnwatchedCancel,
} from "#task-service/store/task-record.js";

/** What the readers can be asked. */
export type ReadQuery =
  | { readonly kind: "getTask"; readonly id: string; readonly isFull: boolean }
  | { readonly kind: "listTasks"; readonly list: ListQuery }
  | { readonly kind: "readEvents"; readonly id: string; readonly afterSequence: number; readonly limit: number }
  /** The latest first, from before a sequence on; null: from the latest. */
  | {
      readonly kind: "readLatestEvents";
      readonly id: string;
      readonly beforeSequence: number | null;
      readonly limit: number;
    }
  | { readonly kind: "readSituation"; readonly id: string }
  | ({ readonly kind: "readLog" } & LogQuery)
  /** Matching tasks, the lowest ids first, without payload and result. */
  | { readonly kind: "readSelected"; readonly filter: FilterExpression | null; readonly afterId: string }
  | { readonly kind: "readDue"; readonly lane: Lane; readonly after: DispatchKey | null; readonly limit: number }
  | { readonly kind: "loadDue"; readonly keys: readonly number[] }
  | { readonly kind: "readRunning" }
  | { readonly kind: "listAttempts"; readonly id: string; readonly afterNumber: number; readonly limit: number }
  | { readonly kind: "readOverdue"; readonly nowMs: number; readonly limit: number }
  | { readonly kind: "readUnwatchedCancels"; readonly afterKey: number; readonly limit: number }
  /** The key of the newest task there is; 0: there is none. */
  | { readonly kind: "lastKey" }
  | { readonly kind: "lastRevision" };

/** A piece of the log, as one watcher of many tasks wants it. */
export interface LogQuery {
  readonly selection: LogSelection;
  readonly afterRevision: number;
  /** Null: to the end. */
  readonly upToRevision: number | null;
  /** Leaves out tasks with higher ids; null: none. */
  readonly upToId: string | null;
}

/** Due tasks are kept apart by queue and type, so that a type no worker runs cannot stand in the way of others. */
export interface Lane {
  readonly queue: string;
  readonly type: string;
}

/** Which tasks, in which order, from where. */
export interface ListQuery {
  /** Null: all tasks. */
  readonly filter: FilterExpression | null;
  /** Ids are UUIDv7 and carry the creation time: sorting by id is sorting by creation. */
  readonly sortBy: "id" | "update_time";
  readonly isDescending: boolean;
  /** The last row of the page before. Equal update times are told apart by the key, which rises with the id. */
  readonly after: { readonly id: string; readonly updateTimeMs: number; readonly key: number } | null;
  readonly limit: number;
  readonly isFull: boolean;
  /** The page ends early when its payloads and results add up to this. */
  readonly maxBytes: number;
}

/** What the readers answer, by query. */
export interface ReadResults {
  getTask: TaskRecord | null;
  listTasks: { readonly tasks: readonly TaskRecord[]; readonly hasMore: boolean };
  /** Null: no such task. */
  readEvents: TaskHistory | null;
  readLatestEvents: TaskHistory | null;
  /** Null: no such task. */
  readSituation: TaskSituation | null;
  readLog: LogPage;
  readSelected: SelectedTasks;
  readDue: readonly DueTask[];
  loadDue: readonly DueTask[];
  readRunning: readonly RunningTask[];
  /** Null: no such task. */
  listAttempts: readonly AttemptRecord[] | null;
  readOverdue: readonly OverdueTask[];
  readUnwatchedCancels: readonly UnwatchedCancel[];
  lastKey: number;
  lastRevision: number;
}

/** Some events of a task, and how the task stood in the same snapshot of the database. */
export interface TaskHistory {
  readonly state: TaskState;
  readonly sequence: number;
  readonly events: readonly { readonly revision: number; readonly sequence: number; readonly body: Uint8Array }[];
}

/** How far the log reaches, in the snapshot an answer is from. */
export interface LogBounds {
  readonly lastRevision: number;
  /** Events up to here may have been deleted. */
  readonly compactedRevision: number;
}

/** What a watcher of many tasks is told of a piece of the log. */
export interface LogPage extends LogBounds {
  /** Field `changes` of `taskwire.v1.WatchTasksResponse`, encoded. */
  readonly changes: Uint8Array;
  /** Revisions of progress events that were left out, as later ones of their tasks are in `changes`. */
  readonly conflated: readonly number[];
  /** The piece goes up to here; there may be more. */
  readonly revision: number;
}

/** A piece of the tasks that match a filter now. */
export interface SelectedTasks extends LogBounds {
  readonly tasks: readonly TaskRecord[];
  readonly hasMore: boolean;
}

/** A task, and what else the database knows of why it is not running; all in one snapshot. */
export interface TaskSituation {
  /** Without its payload and result. */
  readonly task: TaskRecord;
  /** Where it stands among the due tasks of its queue; null: it is not due. */
  readonly place: QueuePlace | null;
  /** The payload of a PENDING task cannot be opened for want of the key of this id; empty: it is broken; null: it can. */
  readonly lockedBy: string | null;
}

/** Where a due task stands in its queue, in the order of dispatch. Counting ends at {@link MAX_COUNTED}. */
export interface QueuePlace {
  /** From 1. */
  readonly position: number;
  /** Due tasks of the queue, dispatched ones included. */
  readonly total: number;
  /** Counting ended early: it is further back. */
  readonly isPositionMinimum: boolean;
  /** Counting ended early: there are more. */
  readonly isTotalMinimum: boolean;
}

/** Most due tasks that are counted for a {@link QueuePlace}. */
export const MAX_COUNTED = 10_000;

/** The answer to one query. */
export type AnswerTo<Q extends ReadQuery> = ReadResults[Q["kind"]];
