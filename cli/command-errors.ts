/** Something on the command line is wrong; the message says what would be right. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** Ctrl-C while a task was watched: the task goes on, and the message says how to come back to it. */
export class Detached extends Error {
  override readonly name = "Detached";
}
