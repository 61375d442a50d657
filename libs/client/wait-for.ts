import { isTerminal, isTerminalEvent, TaskWatch, watchStream, type WatchOptions } from "#libs/client/task-watch.js";
import { watchManyTasks, type TasksFrame } from "#libs/client/tasks-watch.js";
import { TaskwireError } from "#libs/errors/taskwire-error.js";
import type { Channel } from "#libs/rpc/channel.js";
import { MAX_FILTER_RESTRICTIONS } from "#libs/tasks/limits.js";

/** How tasks are waited for. */
export type WaitOptions = Pick<WatchOptions, "signal" | "maxOutageMs">;

/** Resolves when each of these tasks has been finished; a task that is opened again later counts. Throws NOT_FOUND where there is no such task. */
export async function waitForTasks(channel: Channel, ids: readonly string[], options: WaitOptions): Promise<void> {
  const [only] = ids;
  if (ids.length === 1 && only !== undefined) return waitForOne(channel, only, options);
  const wanted = [...new Set(ids.map((id) => id.toLowerCase()))];
  const leave = new AbortController();
  const { signal } = leave;
  const abort = () => leave.abort(options.signal?.reason);
  if (options.signal?.aborted === true) abort();
  options.signal?.addEventListener("abort", abort, { once: true });
  const parts: Promise<void>[] = [];
  for (let at = 0; at < wanted.length; at += MAX_FILTER_RESTRICTIONS)
    parts.push(waitForPart(channel, wanted.slice(at, at + MAX_FILTER_RESTRICTIONS), { ...options, signal }));
  try {
    await Promise.all(parts);
  } finally {
    options.signal?.removeEventListener("abort", abort);
    leave.abort();
  }
}

/** The stream of one task ends by itself. */
async function waitForOne(channel: Channel, id: string, options: WaitOptions): Promise<void> {
  for await (const frame of new TaskWatch(watchStream(channel, id, options), options).frames())
    if (frame.kind === "event" && isTerminalEvent(frame.event)) return;
}

/** One stream for all of them: a stream costs more than a task. */
async function waitForPart(channel: Channel, ids: readonly string[], options: WaitOptions): Promise<void> {
  const unseen = new Set(ids);
  const open = new Set(ids);
  /** Since the snapshot was begun anew, because events were missed for ever. */
  let listed: Set<string> | undefined;
  const filter = ids.map((id) => `id = "${id}"`).join(" OR ");
  for await (const frame of watchManyTasks(channel, { ...options, filter, classes: ["states"], onGap: "snapshot" })) {
    if (frame.isRestart) listed = new Set();
    for (const { id } of frame.tasks) listed?.add(id);
    note(frame, unseen, open);
    if (frame.syncedRevision !== undefined) {
      const [missing] = unseen;
      if (missing !== undefined) throw taskNotFound(missing);
      // Only finished tasks are deleted.
      for (const id of listed === undefined ? [] : open) if (!listed?.has(id)) open.delete(id);
    }
    if (open.size === 0) return;
  }
}

function note({ changes, tasks }: TasksFrame, unseen: Set<string>, open: Set<string>): void {
  for (const change of changes) {
    if (change.kind !== "event") continue;
    unseen.delete(change.event.taskId);
    if (isTerminalEvent(change.event)) open.delete(change.event.taskId);
  }
  for (const { id, state } of tasks) {
    unseen.delete(id);
    if (isTerminal(state)) open.delete(id);
  }
}

function taskNotFound(id: string): TaskwireError {
  const message = `there is no task ${id}`;
  return new TaskwireError({ code: "NOT_FOUND", reason: "TASK_NOT_FOUND", message, metadata: { id } });
}
