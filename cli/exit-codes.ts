/** What the exit codes of `taskwire` mean. Besides these: 78, the configuration is wrong (sysexits.h). */
export const EXIT = {
  /** Everything went as asked. */
  ok: 0,
  /** The task failed, or anything without a code of its own. */
  failed: 1,
  /** The command line or a value in it is wrong. */
  usage: 2,
  /** The task was cancelled. */
  cancelled: 3,
  /** The service cannot be reached, or says that it cannot serve. */
  unavailable: 4,
  /** There is no such task or worker. */
  notFound: 5,
  /** The service takes no more for now, for example because a queue is full: try later (EX_TEMPFAIL of sysexits.h). */
  tryLater: 75,
  /** Ctrl-C: detached from a task that goes on. */
  detached: 130,
} as const;

/** One of {@link EXIT}. */
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];
