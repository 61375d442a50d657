import { delay } from "#libs/async/delay.js";
import type { TaskwireClient } from "#libs/client/taskwire-client.js";
import { TaskwireError } from "#libs/errors/taskwire-error.js";
import type { TaskFlow } from "#cli/top/task-flow.js";

/** The wait before open tasks are counted anew, in milliseconds. */
const PAUSE_MS = 1000;
const OPEN = "(state = PENDING OR state = RUNNING)";

/**
 * Feeds a flow with the tasks that a filter selects, through restarts of the service, until the signal fires or an error is final. Where events
 * were missed for ever, open tasks are counted anew.
 */
export async function followFlow(
  client: TaskwireClient,
  flow: TaskFlow,
  filter: string,
  signal: AbortSignal,
): Promise<never> {
  for (;;) {
    try {
      await followEvents(client, flow, filter, signal);
    } catch (error) {
      if (!(error instanceof TaskwireError) || error.code !== "OUT_OF_RANGE") throw error;
    }
    await delay(PAUSE_MS, signal);
  }
}

/** Follows what happens from now on, and counts what was open before as soon as nothing can fall between. */
async function followEvents(client: TaskwireClient, flow: TaskFlow, filter: string, signal: AbortSignal) {
  const end = new AbortController();
  const either = AbortSignal.any([signal, end.signal]);
  let counting: Promise<void> | undefined;
  flow.beginCount();
  try {
    for await (const frame of client.watchTasks({ filter, start: "now", classes: ["states"], signal: either })) {
      flow.take(frame);
      counting ??= countOpen(client, flow, filter, either).catch((error: unknown) => end.abort(error));
    }
  } finally {
    end.abort();
    await counting;
  }
}

async function countOpen(client: TaskwireClient, flow: TaskFlow, filter: string, signal: AbortSignal): Promise<void> {
  const selected = filter.trim() === "" ? OPEN : `(${filter}) AND ${OPEN}`;
  for await (const frame of client.watchTasks({ filter: selected, classes: ["states"], signal })) {
    // What happens to them is told by the other stream as well.
    flow.count(frame.tasks);
    if (frame.syncedRevision !== undefined) break;
  }
  flow.endCount();
}
