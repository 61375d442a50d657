import { setTimeout as sleep } from "node:timers/promises";
import { defineTask } from "#libs/define-task/define-task.js";

/** Runs until it is told to stop, or its worker is gone. */
export const hold = defineTask("bench.hold", { maxAttempts: 100 }, async ({ signal }) => {
  await sleep(3_600_000, undefined, { signal });
});
