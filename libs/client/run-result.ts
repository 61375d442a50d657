import type { RunOptions } from "#libs/client/run-options.js";
import { TaskCancelledError, TaskFailedError } from "#libs/client/task-failures.js";
import { isTerminalEvent, type WatchFrame } from "#libs/client/task-watch.js";
import { Task_State as TaskState, type Task } from "#libs/proto/gen/taskwire/v1/task.js";

/**
 * Reads a task's frames to its end and returns its result, which `get` fetches where events do not carry it.
 *
 * @throws {@link TaskFailedError} or {@link TaskCancelledError} with the task
 */
export async function resultOf(
  frames: AsyncIterable<WatchFrame>,
  get: (id: string) => Promise<Task>,
  onEvent: RunOptions["onEvent"],
): Promise<unknown> {
  let id = "";
  for await (const frame of frames) {
    if (frame.kind === "snapshot") {
      id = frame.task.id;
      continue;
    }
    onEvent?.(frame.event);
    const { kind } = frame.event;
    if (kind?.$case === "completed" && !kind.value.resultOmitted) return kind.value.result;
    if (isTerminalEvent(frame.event)) break;
  }
  const task = await get(id);
  if (task.state === TaskState.FAILED) throw new TaskFailedError(task);
  if (task.state === TaskState.CANCELLED) throw new TaskCancelledError(task);
  return task.result;
}
