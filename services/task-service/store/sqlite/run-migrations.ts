import type { Database } from "better-sqlite3";
import { sql } from "kysely";
import { pendingMigrations } from "#task-service/store/migrate.js";
import { createQueryBuilder } from "#task-service/store/query-builder.js";

/** Brings a database up to this code, all or nothing, under an exclusive transaction. Returns the names of what ran. */
export function runMigrations(database: Database, nowMs: number): readonly string[] {
  const db = createQueryBuilder();
  const run = database.transaction((): readonly string[] => {
    const table = db.schema
      .createTable("migrations")
      .ifNotExists()
      .addColumn("name", "text", (column) => column.primaryKey())
      .addColumn("time", "integer", (column) => column.notNull())
      .modifyEnd(sql`strict`);
    database.exec(table.compile().sql);
    const select = db.selectFrom("migrations").select("name").compile();
    const applied = database.prepare<[], { name: string }>(select.sql).all();
    const pending = pendingMigrations(applied.map((row) => row.name));
    for (const migration of pending) {
      for (const statement of migration.up(db)) database.exec(statement.compile().sql);
      const insert = db.insertInto("migrations").values({ name: migration.name, time: nowMs }).compile();
      database.prepare(insert.sql).run(...insert.parameters);
    }
    return pending.map((migration) => migration.name);
  });
  return run.exclusive();
}
