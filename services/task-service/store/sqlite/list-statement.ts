import { sql, type CompiledQuery } from "kysely";
import { possibleStates } from "#libs/tasks/filter/possible-states.js";
import { TaskState } from "#libs/tasks/task-state.js";
import { createQueryBuilder } from "#task-service/store/query-builder.js";
import type { ListQuery } from "#task-service/store/read-query.js";
import { filterCondition } from "#task-service/store/sqlite/filter-condition.js";
import { BASIC_COLUMNS, FULL_COLUMNS } from "#task-service/store/task-columns.js";

const db = createQueryBuilder();

/** The SQL of a page of tasks, with one row more than asked for to tell whether there are more. */
export function listStatement(list: ListQuery): CompiledQuery {
  let query = db.selectFrom("tasks").select(list.isFull ? FULL_COLUMNS : BASIC_COLUMNS);
  if (list.filter !== null) {
    query = query.where(filterCondition(list.filter));
    const states = possibleStates(list.filter);
    if (states.length < Object.keys(TaskState).length) query = query.where("state", "in", states);
    // SQLite uses a partial index only for a query that repeats its condition word for word.
    if (states.every((state) => state <= TaskState.RUNNING)) query = query.where(sql<boolean>`state <= 2`);
    if (states.every((state) => state >= TaskState.FAILED)) query = query.where(sql<boolean>`state >= 4`);
  }
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
