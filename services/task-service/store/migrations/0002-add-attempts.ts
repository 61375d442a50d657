import { sql, type Compilable, type Kysely } from "kysely";
import type { Database } from "#task-service/store/schema.js";

/** A history of attempts; total timeouts, retry codes, warnings, and how often a task lost its worker. */
export function addAttempts(db: Kysely<Database>): Compilable[] {
  const { schema } = db;
  const isWaitingForDeadline = sql<boolean>`state = 1 and deadline_time is not null`;
  return [
    schema.alterTable("tasks").addColumn("warnings", "text"),
    schema
      .alterTable("tasks")
      .addColumn("worker_losses", "integer", (column) => column.notNull().defaultTo(sql.lit(0))),
    schema.alterTable("tasks").addColumn("total_timeout", "integer"),
    schema.alterTable("tasks").addColumn("deadline_time", "integer"),
    schema.alterTable("tasks").addColumn("retry_codes", "text"),
    schema.createIndex("tasks_deadline").on("tasks").column("deadline_time").where(isWaitingForDeadline),
    schema
      .createTable("task_attempts")
      .addColumn("task_key", "integer", (column) => column.notNull())
      .addColumn("number", "integer", (column) => column.notNull())
      .addColumn("worker_id", "text", (column) => column.notNull())
      .addColumn("start_time", "integer", (column) => column.notNull())
      .addColumn("end_time", "integer", (column) => column.notNull())
      .addColumn("outcome", "integer", (column) => column.notNull())
      .addColumn("error", "text")
      .addPrimaryKeyConstraint("task_attempts_key", ["task_key", "number"])
      .modifyEnd(sql`strict, without rowid`),
  ];
}
