import { TaskwireError } from "#libs/errors/taskwire-error.js";
import type { Task } from "#libs/proto/gen/taskwire/v1/task.js";
import type { CancelTaskRequest } from "#libs/proto/gen/taskwire/v1/task_service.js";
import { MAX_MESSAGE_CHARACTERS } from "#libs/tasks/limits.js";
import { readTask } from "#task-service/rpc/read-task.js";
import { presentTask } from "#task-service/rpc/present-task.js";
import { hasAtMost } from "#task-service/rpc/validate-task.js";
import { requireTaskId, Violations } from "#task-service/rpc/violations.js";
import type { TaskStore } from "#task-service/store/task-store.js";
import type { WithWorker } from "#task-service/store/write-command.js";

/** What cancelling needs besides the store: dispatch, which must not hand the task out meanwhile. */
export interface CancelContext {
  readonly store: TaskStore;
  /** Keeps the task from being dispatched; returns the attempt of it that may be with a worker already. */
  readonly holdBack: (id: string, key: number) => WithWorker;
  readonly letGo: (id: string, queue: string) => void;
  /** Takes the dispatch of an attempt out of NATS; true only if it is certain that no worker was handed it. */
  readonly withdraw: (id: string, attempt: number) => Promise<boolean>;
}

/** CancelTask. */
export async function cancelTask(context: CancelContext, request: CancelTaskRequest): Promise<Task> {
  const violations = new Violations();
  const isReason = hasAtMost(request.reason, MAX_MESSAGE_CHARACTERS);
  violations.expect(isReason, "reason", `must have at most ${MAX_MESSAGE_CHARACTERS} characters`);
  const id = requireTaskId(request.id, violations);
  const { store } = context;
  const { key, queue } = await readTask(store, id, false);
  const withWorker = context.holdBack(id, key);
  try {
    await askForCancel(store, id, request.reason, withWorker);
    if (typeof withWorker === "number" && (await context.withdraw(id, withWorker)))
      await store.write({ kind: "endCancels", tasks: [{ id, attempt: withWorker - 1, isUntaken: true }] });
  } finally {
    context.letGo(id, queue);
  }
  return presentTask(await readTask(store, id, true));
}

async function askForCancel(store: TaskStore, id: string, reason: string, withWorker: WithWorker): Promise<void> {
  const { verdict } = await store.write({ kind: "requestCancel", id, reason, withWorker });
  if (verdict !== "finished") return;
  throw new TaskwireError({
    code: "FAILED_PRECONDITION",
    reason: "TASK_ALREADY_FINISHED",
    message: `task ${id} has ended already and cannot be cancelled`,
    metadata: { id },
  });
}
