import { TaskwireError, type TaskwireErrorOptions } from "#libs/errors/taskwire-error.js";

/** A {@link TaskwireError} on its way out of a thread, where errors lose their class. */
export type ThreadRefusal = Omit<TaskwireErrorOptions, "cause">;

/** What to send for something thrown in a thread; undefined: it is no {@link TaskwireError}. */
export function toRefusal(error: unknown): ThreadRefusal | undefined {
  if (!(error instanceof TaskwireError)) return undefined;
  const { code, reason, message, metadata } = error;
  return { code, reason, message, metadata };
}
