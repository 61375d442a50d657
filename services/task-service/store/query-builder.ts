import { DummyDriver, Kysely, SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler } from "kysely";
import type { Database } from "#task-service/store/schema.js";

/**
 * Builds SQL without running it. The SQLite threads run what it compiles through prepared statements of their own, synchronously:
 * Kysely's driver prepares on every call and awaits between statements, which costs more than the statements themselves.
 */
export function createQueryBuilder(): Kysely<Database> {
  return new Kysely<Database>({
    dialect: {
      createAdapter: () => new SqliteAdapter(),
      createDriver: () => new DummyDriver(),
      createIntrospector: (db) => new SqliteIntrospector(db),
      createQueryCompiler: () => new SqliteQueryCompiler(),
    },
  });
}
