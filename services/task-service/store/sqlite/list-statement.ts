import { sql, type CompiledQuery } from "kysely";
import { TaskState } from "#libs/tasks/task-state.js";
import { createQueryBuilder } from "#task-service/store/query-builder.js";
import type { ListQuery } from "#task-service/store/read-query.js";
import { BASIC_COLUMNS, FULL_COLUMNS } from "#task-service/store/task-columns.js";

const db = createQueryBuilder();

/** The SQL of a page of tasks, with one row more than asked for to tell whether there are more. */
export function listStatement(list: ListQuery): CompiledQuery {
  let query = db.selectFrom("tasks").select(list.isFull ? FULL_COLUMNS : BASIC_COLUMNS);
  if (list.ids.length > 0) query = query.where("id", "in", list.ids);
  if (list.types.length > 0) query = query.where("type", "in", list.types);
  if (list.queues.length > 0) query = query.where("queue", "in", list.queues);
  if (list.states.length > 0) {
    query = query.where("state", "in", list.states);
    // SQLite uses a partial index only for a query that repeats its condition word for word.
    if (list.states.every((state) => state <= TaskState.RUNNING)) query = query.where(sql<boolean>`state <= 2`);
    if (list.states.every((state) => state >= TaskState.FAILED)) query = query.where(sql<boolean>`state >= 4`);
  }
  for (const [key, value] of list.labels) {
    // A quoted path: label keys may hold dots and slashes, never quotes.
    query = query.where(sql<string>`json_extract(labels, ${`$."${key}"`})`, "=", value);
  }
  if (list.createTimeFromMs !== null) query = query.where("id", ">=", firstIdAt(list.createTimeFromMs));
  if (list.createTimeBeforeMs !== null) query = query.where("id", "<", firstIdAt(list.createTimeBeforeMs));
  if (list.updateTimeFromMs !== null) query = query.where("update_time", ">=", list.updateTimeFromMs);
  if (list.updateTimeBeforeMs !== null) query = query.where("update_time", "<", list.updateTimeBeforeMs);
  const direction = list.isDescending ? "desc" : "asc";
  const beyond = list.isDescending ? sql`<` : sql`>`;
  if (list.sortBy === "id") {
    if (list.after !== null) query = query.where("id", list.isDescending ? "<" : ">", list.after.id);
    query = query.orderBy("id", direction);
  } else {
    if (list.after !== null) {
      query = query.where(sql<boolean>`(update_time, key) ${beyond} (${list.after.updateTimeMs}, ${list.after.key})`);
    }
    query = query.orderBy("update_time", direction).orderBy("key", direction);
  }
  return query.limit(list.limit + 1).compile();
}

/** The smallest UUIDv7 of a millisecond: RFC 9562 puts the time into the first 48 bits. */
function firstIdAt(timeMs: number): string {
  const hex = Math.max(0, Math.min(timeMs, 0xffff_ffff_ffff)).toString(16).padStart(12, "0");
  return `${hex.slice(0, 8)}-${hex.slice(8)}`;
}
