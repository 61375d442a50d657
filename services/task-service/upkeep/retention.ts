import type { TaskStore } from "#task-service/store/task-store.js";

const TASKS_PER_COMMAND = 500;
const COMMANDS_PER_ROUND = 200;

/** Deletes finished tasks and their events once they have not changed for `retentionMs`; small commands, so that others get through. */
export async function deleteExpired(store: TaskStore, retentionMs: number, signal: AbortSignal): Promise<number> {
  let total = 0;
  for (let round = 0; round < COMMANDS_PER_ROUND && !signal.aborted; round += 1) {
    const beforeMs = Date.now() - retentionMs;
    const { count } = await store.write({ kind: "deleteFinished", beforeMs, limit: TASKS_PER_COMMAND });
    total += count;
    if (count < TASKS_PER_COMMAND) break;
  }
  return total;
}
