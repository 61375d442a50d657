import { sql, type Compilable, type Kysely } from "kysely";
import type { Database } from "#task-service/store/schema.js";

/** Tasks that are cancelled when nobody has watched them for a while. */
export function addUnwatchedCancel(db: Kysely<Database>): Compilable[] {
  const { schema } = db;
  return [
    schema.alterTable("tasks").addColumn("unwatched_cancel", "integer"),
    schema
      .createIndex("tasks_unwatched_cancel")
      .on("tasks")
      .columns(["key", "id", "unwatched_cancel"])
      .where(sql<boolean>`state <= 2 and unwatched_cancel is not null`),
  ];
}
