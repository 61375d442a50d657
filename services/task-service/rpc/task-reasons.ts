import type { TaskExplanation_Reason } from "#libs/proto/gen/taskwire/v1/task_explanation.js";
import { isTerminal, TaskState } from "#libs/tasks/task-state.js";
import type { TaskSituation } from "#task-service/store/read-query.js";
import type { TaskRecord } from "#task-service/store/task-record.js";
import type { LivingWorker } from "#task-service/workers/worker-registry.js";

/** A reason without its text. */
export type ReasonKind = NonNullable<TaskExplanation_Reason["kind"]>;

/** What dispatch has to say of a task and its queue. */
export interface DispatchView {
  /** Whether work flows; false while the service starts. */
  readonly isOpen: boolean;
  /** The task's dispatch that no worker has started; undefined: there is none. */
  readonly dispatch:
    | {
        readonly attempt: number;
        /** How long ago it was sent last, milliseconds. */
        readonly ageMs: number;
        readonly repeats: number;
        readonly isConfirmed: boolean;
        readonly isHandedOut: boolean;
      }
    | undefined;
  /** Whether it waits for its turn apart from other suspects. */
  readonly isWaitingApart: boolean;
  /** How many tasks of the queue are with workers. */
  readonly started: number;
  /** How many tasks of the queue were dispatched and have not started. */
  readonly unstarted: number;
}

/** Everything an explanation is made of. */
export interface ExplainedTask extends TaskSituation {
  readonly dispatching: DispatchView;
  readonly workers: readonly LivingWorker[];
  readonly isNatsConnected: boolean;
  readonly nowMs: number;
}

const MAX_WORKER_TYPES = 100;

/** Why a task is where it is, the most important reason first; at least one. */
export function taskReasons(explained: ExplainedTask): ReasonKind[] {
  const { task } = explained;
  if (isTerminal(task.state)) return [finished(task)];
  const reasons: ReasonKind[] = [];
  if (task.cancelRequestTimeMs !== null) {
    const requestTime = new Date(task.cancelRequestTimeMs);
    reasons.push({ $case: "cancelRequest", value: { requestTime, reason: task.cancelReason } });
  }
  if (task.state === TaskState.RUNNING) {
    reasons.push(running(explained));
    if (!explained.isNatsConnected) reasons.push({ $case: "natsAway", value: {} });
    return reasons;
  }
  return [...reasons, ...pendingReasons(explained)];
}

function finished({ state, endTimeMs, error }: TaskRecord): ReasonKind {
  const errorCode = state === TaskState.COMPLETED ? "" : (error?.code ?? "");
  return { $case: "finished", value: { endTime: dateOf(endTimeMs), errorCode } };
}

function running({ task, workers }: ExplainedTask): ReasonKind {
  const workerId = task.workerId ?? "";
  const worker = workers.find(({ heartbeat }) => heartbeat.workerId === workerId);
  return {
    $case: "running",
    value: {
      workerId,
      attempt: task.attempt,
      startTime: dateOf(task.startTimeMs),
      workerAlive: worker !== undefined,
      lastHeardTime: worker === undefined ? undefined : new Date(worker.lastSeenMs),
    },
  };
}

function pendingReasons(explained: ExplainedTask): ReasonKind[] {
  const { task, place, lockedBy } = explained;
  const reasons: ReasonKind[] = [];
  if (lockedBy !== null) reasons.push({ $case: "lockedPayload", value: { keyId: lockedBy } });
  reasons.push(...(place === null ? [notDue(task)] : dueReasons(explained)));
  const deadlineTime = dateOf(task.deadlineMs);
  if (deadlineTime !== undefined) reasons.push({ $case: "totalTimeout", value: { deadlineTime } });
  return reasons;
}

function notDue({ attempt, uncountedAttempts, maxAttempts, runTimeMs, error }: TaskRecord): ReasonKind {
  const runTime = new Date(runTimeMs);
  if (attempt === 0) return { $case: "delayed", value: { runTime } };
  const next = { attempt: attempt + 1, countedAttempt: attempt - uncountedAttempts + 1 };
  return { $case: "waitingRetry", value: { ...next, maxAttempts, runTime, errorCode: error?.code ?? "" } };
}

function dueReasons(explained: ExplainedTask): ReasonKind[] {
  const { task, place, lockedBy, dispatching, isNatsConnected, nowMs } = explained;
  const reasons: ReasonKind[] = [];
  if (!isNatsConnected) reasons.push({ $case: "natsAway", value: {} });
  else if (!dispatching.isOpen) reasons.push({ $case: "serviceStarting", value: {} });
  const { dispatch } = dispatching;
  if (dispatch !== undefined) {
    const { attempt, ageMs, repeats, isConfirmed: confirmed, isHandedOut: handedOut } = dispatch;
    const dispatchTime = new Date(nowMs - Math.round(ageMs));
    reasons.push({ $case: "dispatched", value: { attempt, dispatchTime, repeats, confirmed, handedOut } });
  } else if (dispatching.isWaitingApart) {
    reasons.push({ $case: "quarantined", value: { lostWorkers: task.workerLosses } });
  }
  // It is not dispatched any more, whatever the workers do.
  if (task.cancelRequestTimeMs !== null || lockedBy !== null) return reasons;
  // Without NATS no worker can be heard, and one that starts has not called its roll yet.
  if (isNatsConnected && dispatching.isOpen) reasons.push(...workerReasons(explained));
  if (dispatch === undefined && place !== null) {
    const { position, total, isPositionMinimum: positionIsMinimum, isTotalMinimum: totalIsMinimum } = place;
    const { queue } = task;
    reasons.push({ $case: "inLine", value: { queue, position, total, positionIsMinimum, totalIsMinimum } });
  }
  return reasons;
}

/** Why the workers of its queue cannot start it; none if they can. */
function workerReasons({ task, workers, dispatching }: ExplainedTask): ReasonKind[] {
  const { queue, type } = task;
  const ofQueue = workers.map(({ heartbeat }) => heartbeat).filter(({ queues }) => queues.includes(queue));
  const taking = ofQueue.filter(({ draining }) => !draining);
  if (taking.length === 0) return [{ $case: "noWorkers", value: { queue, draining: ofQueue.length } }];
  const types = new Set(taking.flatMap((heartbeat) => heartbeat.types));
  if (!types.has(type)) {
    const workerTypes = [...types].sort().slice(0, MAX_WORKER_TYPES);
    return [{ $case: "noWorkerForType", value: { queue, type, workerTypes, workers: taking.length } }];
  }
  const sum = (numberOf: (heartbeat: (typeof taking)[number]) => number) =>
    taking.reduce((total, heartbeat) => total + numberOf(heartbeat), 0);
  const slots = sum((heartbeat) => heartbeat.slots);
  const workersRunning = sum((heartbeat) => heartbeat.running);
  const { started, unstarted, dispatch } = dispatching;
  const others = unstarted - (dispatch === undefined ? 0 : 1);
  if (Math.max(workersRunning, started + others) < slots) return [];
  return [{ $case: "slotsBusy", value: { queue, slots, running: started, dispatched: unstarted, workersRunning } }];
}

function dateOf(ms: number | null): Date | undefined {
  return ms === null ? undefined : new Date(ms);
}
