import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import Sqlite, { type Database } from "better-sqlite3";

const WAL_CHECKPOINT_PAGES = 4000;
const WAL_SIZE_LIMIT_BYTES = 256 * 1024 * 1024;
const CACHE_KIB = 64 * 1024;
const BUSY_TIMEOUT_MS = 5000;

/**
 * Opens the writing connection: WAL with `synchronous=FULL`, so that a commit is on disk when it returns (better-sqlite3 compiles
 * SQLite so that WAL alone means NORMAL, which loses commits at a power failure).
 */
export function openForWriting(path: string): Database {
  mkdirSync(dirname(path), { recursive: true });
  const database = new Sqlite(path, { timeout: BUSY_TIMEOUT_MS });
  database.pragma("journal_mode = WAL");
  database.pragma("synchronous = FULL");
  database.pragma("foreign_keys = ON");
  database.pragma(`wal_autocheckpoint = ${WAL_CHECKPOINT_PAGES}`);
  database.pragma(`journal_size_limit = ${WAL_SIZE_LIMIT_BYTES}`);
  database.pragma(`cache_size = -${CACHE_KIB}`);
  return database;
}

/** Opens a reading connection; the file must exist. */
export function openForReading(path: string): Database {
  const database = new Sqlite(path, { readonly: true, fileMustExist: true, timeout: BUSY_TIMEOUT_MS });
  database.pragma(`cache_size = -${CACHE_KIB / 2}`);
  return database;
}

/**
 * Takes the right to be the only process on a database file, for as long as the returned connection is open; the operating system
 * takes it back when the process dies, however it dies. Throws when another process has it.
 */
export function lockDatabase(path: string): Database {
  mkdirSync(dirname(path), { recursive: true });
  const lock = new Sqlite(`${path}.lock`, { timeout: 0 });
  try {
    lock.pragma("journal_mode = DELETE");
    lock.exec("BEGIN EXCLUSIVE");
  } catch (error) {
    lock.close();
    if (error instanceof Sqlite.SqliteError && error.code.startsWith("SQLITE_BUSY")) {
      throw new Error(
        `another process has the database ${path} open. Only one task-service may use a SQLite file: ` +
          "stop the other one, or give this one a database of its own.",
        { cause: error },
      );
    }
    throw error;
  }
  return lock;
}
