import { createHash } from "node:crypto";
import { TaskEvent } from "#libs/proto/gen/taskwire/v1/task_event.js";

/** Stands for everything an event says: equal events have equal digests. */
export function eventDigest(event: TaskEvent): string {
  return createHash("sha1").update(TaskEvent.encode(event).finish()).digest("hex").slice(0, 16);
}
