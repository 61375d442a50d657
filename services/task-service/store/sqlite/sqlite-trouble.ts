import { accessSync, constants } from "node:fs";
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

/**
 * What is wrong with the database itself, told by an error's SQLite code; undefined: the error comes from the command. A write that a
 * read-only file system refused is an I/O error to SQLite like any other; with the database's `path` it is told apart.
 */
export function sqliteTrouble(error: unknown, path?: string): DatabaseTrouble | undefined {
  if (!(error instanceof Sqlite.SqliteError)) return undefined;
  const trouble = TROUBLES.find(([prefix]) => error.code.startsWith(prefix))?.[1];
  return trouble === "DATABASE_UNAVAILABLE" && path !== undefined && isReadOnly(path) ? "DATABASE_READ_ONLY" : trouble;
}

function isReadOnly(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return false;
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    return code === "EROFS" || code === "EACCES" || code === "EPERM";
  }
}
