import type { TaskFacts } from "#libs/tasks/task-facts.js";
import { TaskState } from "#libs/tasks/task-state.js";

/** A task that was just accepted. */
export function freshTask(overrides: Partial<TaskFacts> = {}): TaskFacts {
  return {
    id: "0199aaaa-0000-7000-8000-000000000001",
    state: TaskState.PENDING,
    attempt: 0,
    uncountedAttempts: 0,
    maxAttempts: 3,
    initialDelayMs: null,
    maximumDelayMs: null,
    multiplier: 0,
    reportNumber: 0,
    workerId: null,
    runTimeMs: 0,
    startTimeMs: null,
    endTimeMs: null,
    cancelRequestTimeMs: null,
    cancelReason: "",
    progress: null,
    resultJson: null,
    error: null,
    warnings: [],
    totalTimeoutMs: null,
    deadlineMs: null,
    retryCodes: null,
    workerLosses: 0,
    endedAttempt: null,
    ...overrides,
  };
}
