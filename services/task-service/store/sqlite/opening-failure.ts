import { errorMessage } from "#libs/errors/error-message.js";
import type { DatabaseTrouble } from "#task-service/store/database-trouble.js";
import { sqliteTrouble } from "#task-service/store/sqlite/sqlite-trouble.js";

const ADVICE: Readonly<Record<DatabaseTrouble, string>> = {
  DATABASE_FULL: "its disk is full. Make room and start again.",
  DATABASE_READ_ONLY:
    "it cannot be written. Make its file and folder writable, or name another place with TASKWIRE_DATABASE.",
  DATABASE_LOCKED: "another program holds it locked. Close that program and start again.",
  DATABASE_CORRUPT:
    "it is damaged, or no database of Taskwire. Make a copy of it before anything else; `taskwire verify` says what is wrong. " +
    "Then restore a backup, or save what can be read with the `.recover` command of sqlite3.",
  DATABASE_UNAVAILABLE: "it cannot be read or written. Look at its disk and folder.",
};

/** Says for people why a database could not be opened, and what to do. */
export function openingFailure(error: unknown, path: string): string {
  const trouble = sqliteTrouble(error, path);
  if (trouble === undefined) return errorMessage(error);
  return `the database ${path} could not be opened (${errorMessage(error)}): ${ADVICE[trouble]}`;
}
