import { sql, type Compilable, type Kysely } from "kysely";
import type { Database } from "#task-service/store/schema.js";

/**
 * Up to which revision events may be missing because retention has deleted them. What was deleted before is told by the oldest event there is,
 * or, where there is none, by the log's end.
 */
export function addCompactedRevision(db: Kysely<Database>): Compilable[] {
  const deletedBefore = sql<number>`(select coalesce(min(revision) - 1, counters.last_revision) from task_events)`;
  return [
    db.schema
      .alterTable("counters")
      .addColumn("compacted_revision", "integer", (column) => column.notNull().defaultTo(sql.lit(0))),
    db.updateTable("counters").set({ compacted_revision: deletedBefore }),
  ];
}
