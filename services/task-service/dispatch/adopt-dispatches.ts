import type { BusConnection } from "#libs/bus/bus-connection.js";
import { deleteDispatch, readDispatches } from "#libs/bus/topology.js";
import type { Logger } from "#libs/log/logger.js";
import { DispatchTask } from "#libs/proto/gen/taskwire/bus/v1/dispatch.js";
import { DISPATCH_CONTEXT } from "#libs/sealing/contexts.js";
import type { KeyRing } from "#libs/sealing/key-ring.js";
import { TaskState } from "#libs/tasks/task-state.js";
import type { DispatchWindow } from "#task-service/dispatch/dispatch-window.js";
import type { Dispatcher } from "#task-service/dispatch/dispatcher.js";
import type { TaskRecord } from "#task-service/store/task-record.js";
import type { TaskStore } from "#task-service/store/task-store.js";

/** What adopting needs. */
export interface AdoptOptions {
  readonly bus: BusConnection;
  readonly store: Pick<TaskStore, "read">;
  readonly window: DispatchWindow;
  readonly dispatcher: Dispatcher;
  readonly ring: KeyRing;
  readonly logger: Logger;
}

/**
 * Takes over what the process before this one has dispatched and no worker has acknowledged, so that a cancel knows what may be with a
 * worker, and takes back what is not wanted any more. Reports of before must have been applied. May be called again when it failed.
 */
export async function adoptDispatches(options: AdoptOptions): Promise<void> {
  const { bus, dispatcher, window, logger } = options;
  let adopted = 0;
  for await (const { streamSequence, data } of readDispatches(bus)) {
    const dispatch = read(data, options.ring);
    if (dispatch === undefined) continue;
    const { taskId, queue, attempt, payloadJson, round } = dispatch;
    // A commit may overtake the answer of a reader: then it is read once more.
    while (window.reserve(taskId, queue)) {
      const task = await readTask(options, taskId);
      if (!window.isReserved(taskId)) continue;
      window.remove(taskId);
      if (task?.state !== TaskState.PENDING || attempt !== task.attempt + 1) break;
      const isCancelRequested = task.cancelRequestTimeMs !== null;
      dispatcher.adopt({ ...task, payloadJson }, { round, streamSequence, isCancelRequested });
      adopted += 1;
    }
    if (window.get(taskId)?.attempt !== attempt) await deleteDispatch(bus, streamSequence);
  }
  if (adopted > 0) logger.info({ count: adopted }, "dispatches of before the start are taken over");
}

async function readTask({ store, window }: AdoptOptions, id: string): Promise<TaskRecord | null> {
  try {
    return await store.read({ kind: "getTask", id, isFull: false });
  } catch (error) {
    window.remove(id);
    throw error;
  }
}

/** Undefined: it cannot be read here, so its workers have to know what to do with it. */
function read(data: Uint8Array, ring: KeyRing): DispatchTask | undefined {
  try {
    return DispatchTask.decode(ring.open(data, DISPATCH_CONTEXT));
  } catch {
    return undefined;
  }
}
