import type { Logger } from "#libs/log/logger.js";
import { TaskView, type Task } from "#libs/proto/gen/taskwire/v1/task.js";
import { RunTaskResponse, type RunTaskRequest } from "#libs/proto/gen/taskwire/v1/task_service.js";
import { encodeMessage } from "#libs/rpc/message-codec.js";
import type { StreamCall } from "#libs/rpc/stream-call.js";
import { createTask, type CreateContext } from "#task-service/rpc/create-tasks.js";
import { feedStream } from "#task-service/rpc/feed-stream.js";
import { Violations } from "#task-service/rpc/violations.js";
import type { WatchHub } from "#task-service/watch/watch-hub.js";

/** What running needs. */
export interface RunContext {
  readonly creating: CreateContext;
  readonly hub: WatchHub;
  /** Notes that a stream is there for a task; returns what to call when it is gone. */
  readonly attach: (id: string) => () => void;
  readonly logger: Logger;
}

/** RunTask: creates a task, or finds the one that the same request made before, and ties the stream to a watcher of it. */
export async function runTask(
  context: RunContext,
  request: RunTaskRequest,
  call: StreamCall<RunTaskResponse>,
): Promise<void> {
  const { afterSequence, requestId, view } = request;
  const violations = new Violations();
  violations.expect(afterSequence === undefined || afterSequence >= 0, "after_sequence", "must not be negative");
  violations.expect(afterSequence === undefined || requestId !== "", "request_id", "is required to go on with a task");
  const isView = TaskView[view] !== undefined && view !== TaskView.UNRECOGNIZED;
  violations.expect(isView, "view", "must be TASK_VIEW_BASIC or TASK_VIEW_FULL");
  const mustExist = afterSequence !== undefined;
  const created = await createTask(context.creating, request, { mustExist, violations });
  const isFull = view === TaskView.TASK_VIEW_FULL;
  const task = isFull
    ? created
    : { ...created, payload: undefined, result: undefined, warnings: [], webhook: undefined };
  call.onClosed(context.attach(created.id));
  call.sendHeaders();
  if (call.ended) return;
  call.write(frameOf({ task }));
  feedStream(context.hub, context.logger, call, {
    request: { id: created.id, afterSequence: afterSequence ?? created.sequence, isFull },
    heartbeatFrame: (heartbeat) => frameOf({ heartbeat }),
    // A cursor is always given.
    snapshotFrame: () => new Uint8Array(),
  });
}

function frameOf(frame: { task?: Task; heartbeat?: { revision: number; sequence: number } }): Uint8Array {
  return encodeMessage(RunTaskResponse, { task: frame.task, heartbeat: frame.heartbeat, events: [] });
}
