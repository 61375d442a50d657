import type { TasksFrame, WatchedChange } from "#libs/client/tasks-watch.js";
import type { Task } from "#libs/proto/gen/taskwire/v1/task.js";
import type { WatchTasksResponse } from "#libs/proto/gen/taskwire/v1/task_service.js";
import { eventDigest } from "#test/robustness/watches/event-digest.js";
import type { SeenStep, SnapshotTask, WatchFrame } from "#test/robustness/watches/watch-history.js";

/** A frame as a bare call is given it. */
export function frameOfResponse(response: WatchTasksResponse): Omit<WatchFrame, "atMs"> {
  const steps = response.changes.map(({ kind }): SeenStep => {
    if (kind === undefined) throw new Error("a change says nothing");
    return stepOf(
      kind.$case === "event" ? { kind: "event", event: kind.value } : { kind: "unselected", unselected: kind.value },
    );
  });
  return {
    token: response.resumeToken,
    lagged: response.lagged?.revisions ?? [],
    steps,
    tasks: response.snapshot.map(taskOf),
    synced: response.synced?.revision,
    bookmark: response.bookmark?.revision,
  };
}

/** A frame as `TaskwireClient` tells it. */
export function frameOfLibrary(frame: TasksFrame): Omit<WatchFrame, "atMs"> {
  if (frame.isRestart) throw new Error("the client has begun anew, which it was not to do");
  return {
    token: frame.resumeToken,
    lagged: frame.lagged,
    steps: frame.changes.map(stepOf),
    tasks: frame.tasks.map(taskOf),
    synced: frame.syncedRevision,
    bookmark: frame.bookmarkRevision,
  };
}

function stepOf(change: WatchedChange): SeenStep {
  if (change.kind === "unselected") {
    const { revision, taskId, sequence, state } = change.unselected;
    return { kind: "unselected", revision, taskId, sequence, state, digest: "" };
  }
  const { revision, taskId, sequence, state } = change.event;
  return { kind: "event", revision, taskId, sequence, state, digest: eventDigest(change.event) };
}

function taskOf({ id, sequence, state, attempt }: Task): SnapshotTask {
  return { id, sequence, state, attempt };
}
