import type { TaskExplanation } from "#libs/proto/gen/taskwire/v1/task_explanation.js";
import type { ExplainTaskRequest } from "#libs/proto/gen/taskwire/v1/task_service.js";
import { reasonText, summaryOf } from "#task-service/rpc/explanation-text.js";
import { taskNotFound } from "#task-service/rpc/read-task.js";
import { taskReasons, type DispatchView } from "#task-service/rpc/task-reasons.js";
import { requireTaskId, Violations } from "#task-service/rpc/violations.js";
import type { TaskStore } from "#task-service/store/task-store.js";
import type { LivingWorker } from "#task-service/workers/worker-registry.js";

/** What ExplainTask asks. */
export interface ExplainContext {
  readonly store: Pick<TaskStore, "read">;
  readonly dispatcher: { lookAt(id: string, queue: string): DispatchView };
  readonly registry: { living(): readonly LivingWorker[] };
  readonly bus: { readonly connected: boolean };
}

/** ExplainTask: why a task is not running, or how it runs or ended. */
export async function explainTask(context: ExplainContext, request: ExplainTaskRequest): Promise<TaskExplanation> {
  const { store, dispatcher, registry, bus } = context;
  const id = requireTaskId(request.id, new Violations());
  const situation = await store.read({ kind: "readSituation", id });
  if (situation === null) throw taskNotFound(id);
  const { state, queue } = situation.task;
  const nowMs = Date.now();
  const kinds = taskReasons({
    ...situation,
    dispatching: dispatcher.lookAt(id, queue),
    workers: registry.living(),
    isNatsConnected: bus.connected,
    nowMs,
  });
  const reasons = kinds.map((kind) => ({ text: reasonText(kind, nowMs), kind }));
  const summary = summaryOf(
    state,
    reasons.map(({ text }) => text),
  );
  return { id, state, reasons, summary, time: new Date(nowMs) };
}
