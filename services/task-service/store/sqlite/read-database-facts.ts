import { statSync } from "node:fs";
import { pendingMigrations } from "#task-service/store/migrate.js";
import { createQueryBuilder } from "#task-service/store/query-builder.js";
import { openForReading } from "#task-service/store/sqlite/open-database.js";

/** What can be told of a database file without a task-service. */
export interface DatabaseFacts {
  readonly sizeBytes: number;
  /** Of the write-ahead log beside it; 0: there is none. */
  readonly walBytes: number;
  /** Name of the latest migration that ran. */
  readonly schemaVersion: string;
  /** Migrations that run at the next start of a task-service of this version. */
  readonly pending: readonly string[];
  /** What SQLite's quick check found, in its words; empty: nothing. */
  readonly damage: readonly string[];
}

/**
 * Looks at a database without changing it, also while a task-service uses it. Throws when it is not there or not readable, was written by
 * a newer version, or is none of Taskwire's.
 */
export function readDatabaseFacts(path: string): DatabaseFacts {
  const sizeBytes = statSync(path).size;
  const walBytes = statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0;
  const database = openForReading(path);
  try {
    const select = createQueryBuilder().selectFrom("migrations").select("name").orderBy("name").compile();
    const applied = database
      .prepare<[], { name: string }>(select.sql)
      .all()
      .map(({ name }) => name);
    const pending = pendingMigrations(applied).map(({ name }) => name);
    const rows = database.pragma("quick_check") as Record<string, unknown>[];
    const words = rows.flatMap((row) => Object.values(row)).map(String);
    const damage = words.filter((word) => word !== "ok");
    return { sizeBytes, walBytes, schemaVersion: applied.at(-1) ?? "none", pending, damage };
  } finally {
    database.close();
  }
}
