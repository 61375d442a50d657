import type { Task } from "#libs/proto/gen/taskwire/v1/task.js";
import { TaskEvent } from "#libs/proto/gen/taskwire/v1/task_event.js";
import { TaskState } from "#libs/tasks/task-state.js";
import type { SeenEvent, TaskSnapshot } from "#test/robustness/history.js";
import type { TaskConstants } from "#test/robustness/watches/watch-history.js";

/** The label that ties a task to the create in the schedule. */
export const OP_LABEL = "op";

const STATES: readonly TaskState[] = Object.values(TaskState);

/** What an answer says about a task. */
export function snapshotOf(task: Task): TaskSnapshot {
  const state = STATES.find((known) => known === Number(task.state));
  if (state === undefined) throw new Error(`task ${task.id} is in state ${task.state}, which this run does not know`);
  return {
    id: task.id,
    op: Number(task.labels[OP_LABEL] ?? 0),
    state,
    attempt: task.attempt,
    maxAttempts: task.maxAttempts,
    sequence: task.sequence,
    workerId: task.workerId,
    isCancelRequested: task.cancelRequestTime !== undefined,
    errorCode: task.error?.code ?? "",
    result: task.result === undefined ? "" : JSON.stringify(task.result),
  };
}

/** What an answer says about a task that never changes. */
export function constantsOf({ type, queue, priority, labels, createTime }: Task): TaskConstants {
  return { type, queue, priority, labels, createTimeMs: createTime?.getTime() ?? 0 };
}

const texts = new Map<string, string>();

/** An event as it was seen. Equal events have equal texts; each text is kept once, as most events are seen many times. */
export function seenEvent(event: TaskEvent): SeenEvent {
  const bytes = Buffer.from(TaskEvent.encode(event).finish()).toString("base64");
  let text = texts.get(bytes);
  if (text === undefined) {
    text = JSON.stringify(event);
    texts.set(bytes, text);
  }
  return { sequence: event.sequence, revision: event.revision, kind: event.kind?.$case ?? "none", text };
}
