import Sqlite from "better-sqlite3";
import type { DatabaseTrouble } from "#task-service/store/database-trouble.js";

const TROUBLES: readonly (readonly [prefix: string, trouble: DatabaseTrouble])[] = [
  ["SQLITE_FULL", "DATABASE_FULL"],
  ["SQLITE_READONLY", "DATABASE_READ_ONLY"],
  ["SQLITE_PERM", "DATABASE_READ_ONLY"],
  ["SQLITE_BUSY", "DATABASE_LOCKED"],
  ["SQLITE_LOCKED", "DATABASE_LOCKED"],
  ["SQLITE_CORRUPT", "DATABASE_CORRUPT"],
  ["SQLITE_NOTADB", "DATABASE_CORRUPT"],
  ["SQLITE_IOERR", "DATABASE_UNAVAILABLE"],
  ["SQLITE_CANTOPEN", "DATABASE_UNAVAILABLE"],
  ["SQLITE_NOMEM", "DATABASE_UNAVAILABLE"],
];

/** What is wrong with the database itself, told by an error's SQLite code; undefined: the error comes from the command. */
export function sqliteTrouble(error: unknown): DatabaseTrouble | undefined {
  if (!(error instanceof Sqlite.SqliteError)) return undefined;
  return TROUBLES.find(([prefix]) => error.code.startsWith(prefix))?.[1];
}
