import type { TasksFrame } from "#libs/client/taskwire-client.js";
import { toPlainJson, type PlainJson } from "#cli/output/plain-json.js";

/** The items of a frame in the order of the stream, each as an object with its `kind`; `withCursor`: and the token to go on after it. */
export function frameObjects(frame: TasksFrame, withCursor: boolean): PlainJson[] {
  const objects: PlainJson[] = [];
  if (frame.lagged.length > 0) objects.push({ kind: "lagged", revisions: [...frame.lagged] });
  for (const change of frame.changes) {
    if (change.kind === "event") objects.push(toPlainJson(change.event));
    else objects.push({ kind: "unselected", ...toPlainJson(change.unselected) });
  }
  for (const task of frame.tasks) objects.push({ kind: "task", ...toPlainJson(task) });
  if (frame.syncedRevision !== undefined) objects.push({ kind: "synced", revision: frame.syncedRevision });
  if (frame.bookmarkRevision !== undefined) objects.push({ kind: "bookmark", revision: frame.bookmarkRevision });
  if (withCursor) objects.push({ kind: "cursor", resumeToken: frame.resumeToken });
  return objects;
}
