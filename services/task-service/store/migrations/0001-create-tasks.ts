import { sql, type Compilable, type Kysely } from "kysely";
import type { Database } from "#task-service/store/schema.js";

/** Tasks, their events, and the counters. */
export function createTasks(db: Kysely<Database>): Compilable[] {
  const { schema } = db;
  return [
    schema
      .createTable("tasks")
      .addColumn("key", "integer", (column) => column.primaryKey())
      .addColumn("id", "text", (column) => column.notNull().unique())
      .addColumn("type", "text", (column) => column.notNull())
      .addColumn("queue", "text", (column) => column.notNull())
      .addColumn("state", "integer", (column) => column.notNull().check(sql`state between 1 and 5`))
      .addColumn("waiting", "integer", (column) => column.notNull().check(sql`waiting in (0, 1)`))
      .addColumn("priority", "integer", (column) => column.notNull())
      .addColumn("payload", "text", (column) => column.notNull())
      .addColumn("result", "text")
      .addColumn("error", "text")
      .addColumn("labels", "text", (column) => column.notNull())
      .addColumn("description", "text", (column) => column.notNull())
      .addColumn("attempt", "integer", (column) => column.notNull())
      .addColumn("uncounted_attempts", "integer", (column) => column.notNull())
      .addColumn("max_attempts", "integer", (column) => column.notNull())
      .addColumn("initial_delay", "integer")
      .addColumn("maximum_delay", "integer")
      .addColumn("multiplier", "real", (column) => column.notNull())
      .addColumn("report_number", "integer", (column) => column.notNull())
      .addColumn("worker_id", "text")
      .addColumn("progress", "text")
      .addColumn("create_time", "integer", (column) => column.notNull())
      .addColumn("update_time", "integer", (column) => column.notNull())
      .addColumn("start_time", "integer")
      .addColumn("end_time", "integer")
      .addColumn("run_time", "integer", (column) => column.notNull())
      .addColumn("cancel_request_time", "integer")
      .addColumn("cancel_reason", "text", (column) => column.notNull())
      .addColumn("soft_timeout", "integer", (column) => column.notNull())
      .addColumn("hard_timeout", "integer", (column) => column.notNull())
      .addColumn("memory_bytes", "integer", (column) => column.notNull())
      .addColumn("sequence", "integer", (column) => column.notNull())
      .addColumn("request_id", "text")
      .addColumn("request_hash", "text")
      .addCheckConstraint("tasks_end_time", sql`(state >= 3) = (end_time is not null)`)
      .addCheckConstraint("tasks_worker", sql`state <> 2 or worker_id is not null`)
      .addCheckConstraint("tasks_waiting", sql`waiting = 0 or state = 1`)
      .modifyEnd(sql`strict`),
    // Due and running tasks, in the order of dispatch; finished tasks cost nothing here.
    schema
      .createIndex("tasks_active")
      .on("tasks")
      .columns(["state", "waiting", "queue", "type", "priority desc", "run_time"])
      .where(sql.ref("state"), "<=", sql.lit(2)),
    schema.createIndex("tasks_waiting").on("tasks").column("run_time").where(sql.ref("waiting"), "=", sql.lit(1)),
    schema
      .createIndex("tasks_unsuccessful")
      .on("tasks")
      .columns(["state", "id"])
      .where(sql.ref("state"), ">=", sql.lit(4)),
    // Tasks that were dispatched when their cancel was asked for, and not started since: few, and not for long.
    schema
      .createIndex("tasks_cancelling")
      .on("tasks")
      .column("cancel_request_time")
      .where(sql.ref("state"), "=", sql.lit(1))
      .where(sql.ref("cancel_request_time"), "is not", sql.lit(null)),
    schema.createIndex("tasks_update_time").on("tasks").column("update_time"),
    schema
      .createIndex("tasks_request_id")
      .unique()
      .on("tasks")
      .column("request_id")
      .where(sql.ref("request_id"), "is not", sql.lit(null)),
    schema
      .createTable("task_events")
      .addColumn("revision", "integer", (column) => column.primaryKey())
      .addColumn("task_key", "integer", (column) => column.notNull())
      .addColumn("sequence", "integer", (column) => column.notNull())
      .addColumn("body", "blob", (column) => column.notNull())
      .modifyEnd(sql`strict`),
    schema.createIndex("task_events_task").unique().on("task_events").columns(["task_key", "sequence"]),
    schema
      .createTable("counters")
      .addColumn("id", "integer", (column) => column.primaryKey().check(sql`id = 1`))
      .addColumn("last_key", "integer", (column) => column.notNull())
      .addColumn("last_revision", "integer", (column) => column.notNull())
      .modifyEnd(sql`strict`),
    db.insertInto("counters").values({ id: sql.lit(1), last_key: sql.lit(0), last_revision: sql.lit(0) }),
  ];
}
