import type { Compilable, Kysely } from "kysely";
import type { Database } from "#task-service/store/schema.js";

/** Who is told of a task's end. */
export function addWebhook(db: Kysely<Database>): Compilable[] {
  return [db.schema.alterTable("tasks").addColumn("webhook", "text")];
}
