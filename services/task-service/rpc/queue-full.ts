import { TaskwireError } from "#libs/errors/taskwire-error.js";

const RETRY_AFTER_MS = 1000;

/** RESOURCE_EXHAUSTED: a queue holds as many unfinished tasks as it may. */
export function queueFull(queue: string): TaskwireError {
  return new TaskwireError({
    code: "RESOURCE_EXHAUSTED",
    reason: "QUEUE_FULL",
    message: `queue ${queue} holds as many unfinished tasks as it may; try again when some have ended`,
    metadata: { queue },
    retryAfterMs: RETRY_AFTER_MS,
  });
}
