import type { Logger } from "#libs/log/logger.js";
import { TaskView } from "#libs/proto/gen/taskwire/v1/task.js";
import { WatchTaskResponse, type WatchTaskRequest } from "#libs/proto/gen/taskwire/v1/task_service.js";
import { encodeMessage } from "#libs/rpc/message-codec.js";
import type { StreamCall } from "#libs/rpc/stream-call.js";
import { feedStream } from "#task-service/rpc/feed-stream.js";
import { presentTask } from "#task-service/rpc/present-task.js";
import { requireTaskId, Violations } from "#task-service/rpc/violations.js";
import type { WatchHub } from "#task-service/watch/watch-hub.js";

/** WatchTask: ties a stream to a watcher. */
export function watchTask(
  hub: WatchHub,
  logger: Logger,
  request: WatchTaskRequest,
  call: StreamCall<WatchTaskResponse>,
): void {
  const violations = new Violations();
  const { afterSequence } = request;
  const isCursor = afterSequence === undefined || afterSequence >= 0;
  violations.expect(isCursor, "after_sequence", "must not be negative");
  const isView = TaskView[request.view] !== undefined && request.view !== TaskView.UNRECOGNIZED;
  violations.expect(isView, "view", "must be TASK_VIEW_BASIC or TASK_VIEW_FULL");
  const id = requireTaskId(request.id, violations);
  call.sendHeaders();
  const isFull = request.view === TaskView.TASK_VIEW_FULL;
  feedStream(hub, logger, call, {
    request: { id, afterSequence, isFull },
    snapshotFrame: (record) => frameOf({ snapshot: presentTask(record) }),
    heartbeatFrame: (heartbeat) => frameOf({ heartbeat }),
  });
}

function frameOf(frame: Partial<WatchTaskResponse>): Uint8Array {
  return encodeMessage(WatchTaskResponse, { snapshot: frame.snapshot, heartbeat: frame.heartbeat, events: [] });
}
