import { getMaxListeners, setMaxListeners } from "node:events";
import { TaskState, type TaskwireClient, type WatchFrame } from "#libs/client/taskwire-client.js";
import type { Progress, TaskError } from "#libs/proto/gen/taskwire/v1/task.js";
import type { TaskBoard } from "#cli/demo/task-board.js";

/** A task and what people call it. */
export interface NamedTask {
  readonly id: string;
  readonly title: string;
}

/** Streams that are open at once. Tasks run about in the order they were created, so a window over them sees all that run. */
const OPEN_WATCHES = 32;
const LISTENERS_PER_WATCH = 3;

/** Follows tasks to their ends by one watch stream each and keeps the board up to date. Rejects with the signal's reason when it fires. */
export async function followToEnd(
  client: TaskwireClient,
  tasks: readonly NamedTask[],
  board: TaskBoard,
  signal: AbortSignal,
): Promise<void> {
  // Every open watch listens to the signal, and its stream and its waits do too.
  setMaxListeners(getMaxListeners(signal) + OPEN_WATCHES * LISTENERS_PER_WATCH, signal);
  const waiting = tasks[Symbol.iterator]();
  const followNext = async () => {
    for (const task of waiting) {
      for await (const frame of client.watch(task.id, { signal })) applyFrame(board, task, frame);
    }
  };
  await Promise.all(Array.from({ length: Math.min(OPEN_WATCHES, tasks.length) }, followNext));
}

function applyFrame(board: TaskBoard, task: NamedTask, frame: WatchFrame): void {
  if (frame.kind === "snapshot") {
    const { state, progress, error } = frame.task;
    if (state === TaskState.RUNNING) board.progress(task, shareOf(progress), progress?.message ?? "");
    else if (state === TaskState.COMPLETED) board.completed(task);
    else if (state === TaskState.FAILED || state === TaskState.CANCELLED) board.failed(task, failureText(state, error));
    return;
  }
  const { kind } = frame.event;
  switch (kind?.$case) {
    case "started":
      board.progress(task, 0, "");
      break;
    case "progress":
      board.progress(task, shareOf(kind.value), kind.value.message);
      break;
    case "completed":
      board.completed(task);
      break;
    case "failed":
      board.failed(task, failureText(TaskState.FAILED, kind.value.error));
      break;
    case "cancelled":
      board.failed(task, failureText(TaskState.CANCELLED, undefined));
      break;
    case "retryScheduled":
    case "released":
      board.waiting(task);
      break;
    default:
      break;
  }
}

function shareOf(progress: Progress | undefined): number {
  if (progress?.fraction !== undefined) return progress.fraction;
  const { current = 0, total = 0 } = progress ?? {};
  return total > 0 ? current / total : 0;
}

function failureText(state: TaskState, error: TaskError | undefined): string {
  if (state === TaskState.CANCELLED) return "cancelled";
  return error === undefined ? "failed" : `${error.code}: ${error.message}`;
}
