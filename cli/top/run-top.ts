import { delay } from "#libs/async/delay.js";
import type { TaskwireClient } from "#libs/client/taskwire-client.js";
import { Detached } from "#cli/command-errors.js";
import { followFlow } from "#cli/top/follow-flow.js";
import { TaskFlow } from "#cli/top/task-flow.js";
import { workerLoad, type TopView } from "#cli/top/top-view.js";
import { WorkerRoll } from "#cli/top/worker-roll.js";

/** How `taskwire top` looks at a service. */
export interface TopOptions {
  readonly filter: string;
  readonly intervalMs: number;
  /** Ends after so many views; default: at Ctrl-C only. */
  readonly count?: number;
}

/** How long a view waits for the list of workers, at most half its interval, in milliseconds. */
const PATIENCE_MS = 1000;

/**
 * Shows a view as soon as the open tasks are counted, then one each interval. Ctrl-C throws {@link Detached}, without a message: there is nothing
 * to come back to.
 */
export async function runTop(
  client: TaskwireClient,
  options: TopOptions,
  show: (view: TopView) => Promise<void> | void,
): Promise<void> {
  const { intervalMs, count } = options;
  const abort = new AbortController();
  const detach = () => abort.abort(new Detached(""));
  process.once("SIGINT", detach);
  const sinceTime = new Date();
  const flow = new TaskFlow();
  const roll = new WorkerRoll(client);
  const followed = followFlow(client, flow, options.filter, abort.signal);
  // It is awaited below, at times.
  followed.catch((error: unknown) => abort.abort(error));
  try {
    await roll.refresh(PATIENCE_MS, abort.signal);
    await Promise.race([followed, flow.counted]);
    let dueMs = performance.now();
    for (let views = 1; ; views += 1) {
      const { workers, answerTime } = roll;
      const reading = flow.read(performance.now());
      const workersTime = answerTime ?? null;
      await show({ time: new Date(), sinceTime, ...reading, workers: workers.map(workerLoad), workersTime });
      if (views === count) return;
      dueMs = Math.max(dueMs + intervalMs, performance.now());
      await delay(dueMs - performance.now(), abort.signal);
      await roll.refresh(Math.min(PATIENCE_MS, intervalMs / 2), abort.signal);
    }
  } finally {
    process.off("SIGINT", detach);
    abort.abort();
    await followed.catch(() => undefined);
  }
}
