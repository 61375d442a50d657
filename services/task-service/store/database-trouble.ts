import { TaskwireError } from "#libs/errors/taskwire-error.js";

/** Why a database does not take changes. */
export type DatabaseTrouble =
  | "DATABASE_FULL"
  | "DATABASE_READ_ONLY"
  | "DATABASE_LOCKED"
  | "DATABASE_CORRUPT"
  /** Anything else. */
  | "DATABASE_UNAVAILABLE";

const WORDS: Readonly<Record<DatabaseTrouble, string>> = {
  DATABASE_FULL: "the disk of the database is full",
  DATABASE_READ_ONLY: "the database cannot be written: its file, folder or file system is read-only",
  DATABASE_LOCKED: "another program holds the database locked",
  DATABASE_CORRUPT: "the database is damaged; stop the service and run `taskwire verify`",
  DATABASE_UNAVAILABLE: "the database did not take the change",
};

/** The error of a command that the database did not take; nothing of it happened. `detail` goes to the log only. */
export function databaseError(trouble: DatabaseTrouble, detail: string): TaskwireError {
  return new TaskwireError({
    code: "UNAVAILABLE",
    reason: trouble,
    message: `${WORDS[trouble]}; try again`,
    retryAfterMs: 1000,
    cause: new Error(detail),
  });
}
