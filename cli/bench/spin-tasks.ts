import { z } from "zod";
import { defineTask } from "#libs/define-task/define-task.js";

/** Spins the CPU for `ms` milliseconds and hears nothing meanwhile. */
export const spin = defineTask("bench.spin", { payload: z.object({ ms: z.number() }) }, ({ payload: { ms } }) => {
  const endMs = performance.now() + ms;
  while (performance.now() < endMs);
});
