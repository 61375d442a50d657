import { sql, type Compilable, type Kysely } from "kysely";
import type { Database } from "#task-service/store/schema.js";

/**
 * Up to which revision events may be missing because retention has deleted them. In a log of before, that is the highest revision without an event:
 * retention deletes by time, so older tasks may have kept theirs below.
 */
export function addCompactedRevision(db: Kysely<Database>): Compilable[] {
  const highestGap = sql<number>`(
    select case
      when counters.last_revision > ifnull(max(revision), 0) then counters.last_revision
      else ifnull(max(case when revision - previous > 1 then revision - 1 end), 0)
    end
    from (select revision, lag(revision, 1, 0) over (order by revision) as previous from task_events)
  )`;
  return [
    db.schema
      .alterTable("counters")
      .addColumn("compacted_revision", "integer", (column) => column.notNull().defaultTo(sql.lit(0))),
    db.updateTable("counters").set({ compacted_revision: highestGap }),
  ];
}
