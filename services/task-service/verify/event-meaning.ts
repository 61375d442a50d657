import type { TaskError } from "#libs/proto/gen/taskwire/v1/task.js";
import {
  type AttemptReleased,
  type TaskCancelled,
  TaskCancelled_Phase as Phase,
  type TaskEvent,
} from "#libs/proto/gen/taskwire/v1/task_event.js";
import { TaskState } from "#libs/tasks/task-state.js";
import type { AttemptEnd, ReplayedError } from "#task-service/verify/replayed-task.js";

type KindName = NonNullable<TaskEvent["kind"]>["$case"];

/** Which states an event may find a task in, and the one it leaves it in. Kinds that are not here change no state. */
const MOVES: Readonly<Partial<Record<KindName, { readonly from: readonly TaskState[]; readonly to: TaskState }>>> = {
  started: { from: [TaskState.PENDING], to: TaskState.RUNNING },
  retryScheduled: { from: [TaskState.RUNNING], to: TaskState.PENDING },
  released: { from: [TaskState.RUNNING], to: TaskState.PENDING },
  reopened: { from: [TaskState.FAILED, TaskState.CANCELLED], to: TaskState.PENDING },
  completed: { from: [TaskState.RUNNING], to: TaskState.COMPLETED },
  failed: { from: [TaskState.PENDING, TaskState.RUNNING], to: TaskState.FAILED },
  cancelled: { from: [TaskState.PENDING, TaskState.RUNNING], to: TaskState.CANCELLED },
};

const RELEASED_CODES = ["WORKER_SHUTDOWN", "RETRY_LATER"];

const STATE_NAMES: Readonly<Record<number, string>> = Object.fromEntries(
  Object.entries(TaskState).map(([name, number]) => [number, name]),
);

/** The state an event leaves a task in; null: it changes none. */
export function moveOf(kind: KindName): TaskState | null {
  return MOVES[kind]?.to ?? null;
}

/** Whether an event of this kind may happen to a task in this state. */
export function mayHappenIn(kind: KindName, state: TaskState): boolean {
  return MOVES[kind]?.from.includes(state) ?? true;
}

/** A state for people. */
export function stateName(state: number | null): string {
  return state === null ? "not created" : (STATE_NAMES[state] ?? `state ${state}`);
}

/** An error as an event tells it. */
export function errorOf(error: TaskError | undefined): ReplayedError | null {
  if (error === undefined) return null;
  const { code, message, retryable, details } = error;
  return { code, message, retryable, details };
}

/** The error of a task whose attempt was handed back. */
export function releasedError({ code, reason }: AttemptReleased): ReplayedError {
  return { code, message: reason, retryable: true, details: undefined };
}

/**
 * How the running attempt ended with which a task failed. Two codes speak of the task, not of the attempt: a task is `POISONED` by the
 * loss of yet another worker, and `TOTAL_TIMEOUT` names the attempt's own error in its details.
 */
export function failedAttempt(error: ReplayedError | null): AttemptEnd {
  if (error?.code === "POISONED") return { outcome: "LOST", errorCode: "WORKER_LOST" };
  const errorCode = (error?.code === "TOTAL_TIMEOUT" ? lastErrorCode(error.details) : undefined) ?? error?.code ?? null;
  if (errorCode === "WORKER_LOST") return { outcome: "LOST", errorCode };
  return { outcome: errorCode !== null && RELEASED_CODES.includes(errorCode) ? "RELEASED" : "FAILED", errorCode };
}

function lastErrorCode(details: unknown): string | undefined {
  const last: unknown = typeof details === "object" && details !== null ? Reflect.get(details, "lastError") : undefined;
  const code: unknown = typeof last === "object" && last !== null ? Reflect.get(last, "code") : undefined;
  return typeof code === "string" ? code : undefined;
}

/** Whether a cancelled attempt ended because its worker was not heard of any more. */
export function isWorkerLost({ phase }: TaskCancelled): boolean {
  return phase === Phase.WORKER_LOST;
}
