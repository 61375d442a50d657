import { z } from "zod";
import { defineTask } from "#libs/define-task/define-task.js";

/** Logs so many lines, each an event. */
export const chatter = defineTask(
  "bench.chatter",
  { isolation: "inline", payload: z.object({ lines: z.number().int() }) },
  ({ payload: { lines }, log }) => {
    for (let line = 0; line < lines; line += 1)
      log.info("a line of the usual length, said by a handler that is benched");
  },
);
