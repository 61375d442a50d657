import { AttemptOutcome } from "#libs/tasks/task-facts.js";
import { TaskState } from "#libs/tasks/task-state.js";
import type { AttemptRecord, TaskRecord } from "#task-service/store/task-record.js";

/** The latest attempt of a task as its own fields tell of it; undefined: it has none. A stored attempt of the same number wins. */
export function attemptOf(task: TaskRecord, nowMs: number): AttemptRecord | undefined {
  const { attempt: number, workerId, startTimeMs, endTimeMs, endedAttempt } = task;
  if (number === 0 || workerId === null || startTimeMs === null) return undefined;
  const begun = { number, workerId, startTimeMs };
  if (endedAttempt !== null) return { ...begun, ...endedAttempt, endTimeMs: nowMs };
  switch (task.state) {
    case TaskState.PENDING:
      return undefined;
    case TaskState.RUNNING:
      return { ...begun, endTimeMs: null, outcome: AttemptOutcome.RUNNING, error: null };
    case TaskState.COMPLETED:
      return { ...begun, endTimeMs, outcome: AttemptOutcome.SUCCEEDED, error: null };
    case TaskState.CANCELLED:
      return { ...begun, endTimeMs, outcome: AttemptOutcome.CANCELLED, error: task.error };
    case TaskState.FAILED: {
      const outcome = task.error?.code === "WORKER_LOST" ? AttemptOutcome.LOST : AttemptOutcome.FAILED;
      return { ...begun, endTimeMs, outcome, error: task.error };
    }
  }
}
