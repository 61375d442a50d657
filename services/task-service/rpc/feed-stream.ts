import type { Logger } from "#libs/log/logger.js";
import type { Heartbeat } from "#libs/proto/gen/taskwire/v1/task_service.js";
import { asTaskwireError } from "#libs/rpc/status.js";
import type { StreamCall } from "#libs/rpc/stream-call.js";
import type { TaskRecord } from "#task-service/store/task-record.js";
import type { WatchHub, WatchRequest } from "#task-service/watch/watch-hub.js";

/** What a stream of one task's events is made of. Frames of events are the same for all kinds of streams: field 2 of the response. */
export interface StreamContent {
  readonly request: WatchRequest;
  readonly snapshotFrame: (task: TaskRecord) => Uint8Array;
  readonly heartbeatFrame: (heartbeat: Heartbeat) => Uint8Array;
}

/** Ties a stream to a watcher of one task until either ends. */
export function feedStream(
  hub: WatchHub,
  logger: Logger,
  call: StreamCall<unknown>,
  { request, snapshotFrame, heartbeatFrame }: StreamContent,
): void {
  const watcher = hub.watch(request, {
    frame: (bytes) => call.write(bytes),
    snapshot: (record) => call.write(snapshotFrame(record)),
    heartbeat: (revision, sequence) => call.write(heartbeatFrame({ revision, sequence })),
    end: () => {
      call.end();
    },
    fail: (error) => {
      call.fail(asTaskwireError(error, call, logger));
    },
  });
  call.onDrain(() => {
    watcher.onDrain();
  });
  call.onClosed(() => {
    hub.unwatch(watcher);
  });
}
