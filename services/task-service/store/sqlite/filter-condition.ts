import { sql, type RawBuilder } from "kysely";
import type {
  Comparator,
  FilterExpression,
  FilterRestriction,
  FilterTarget,
  FilterValue,
} from "#libs/tasks/filter/filter-expression.js";
import { FILTER_FIELDS, type PlainFieldName } from "#libs/tasks/filter/filter-fields.js";
import type { TasksTable } from "#task-service/store/schema.js";

type Condition = RawBuilder<boolean>;

/** The columns filters may reach. `create_time` is not among them: ids carry it, and have an index. */
const COLUMNS: Readonly<Record<Exclude<PlainFieldName, "create_time">, keyof TasksTable>> = {
  id: "id",
  type: "type",
  queue: "queue",
  state: "state",
  priority: "priority",
  attempt: "attempt",
  update_time: "update_time",
  run_time: "run_time",
  start_time: "start_time",
  end_time: "end_time",
  cancel_request_time: "cancel_request_time",
};

const COMPARATORS: Readonly<Record<Comparator, RawBuilder<unknown>>> = {
  "=": sql`=`,
  "<": sql`<`,
  "<=": sql`<=`,
  ">": sql`>`,
  ">=": sql`>=`,
};

/**
 * A filter as a condition on `tasks`, true for the tasks that its predicate accepts. It is never NULL, so `not` is the opposite. All that
 * comes from the client is bound.
 */
export function filterCondition(expression: FilterExpression): Condition {
  switch (expression.kind) {
    case "and":
      return sql`(${sql.join(expression.operands.map(filterCondition), sql` and `)})`;
    case "or":
      return sql`(${sql.join(expression.operands.map(filterCondition), sql` or `)})`;
    case "not":
      return sql`not ${filterCondition(expression.operand)}`;
    case "compare":
    case "prefix":
    case "present":
      return restriction(expression);
  }
}

function restriction(asked: FilterRestriction): Condition {
  const { target } = asked;
  if (asked.kind === "present") return sql`(${operandOf(target)} is not null)`;
  const isOptional = target.kind === "label" || FILTER_FIELDS[target.name].isOptional;
  const condition = asked.kind === "prefix" ? prefix(target, asked.prefix) : comparison(asked);
  return isOptional ? sql`ifnull(${condition}, 0)` : condition;
}

/** SQLite's instr compares bytes, also beyond a NUL, unlike its substr and like. */
function prefix(target: FilterTarget, text: string): Condition {
  return sql`(instr(${operandOf(target)}, ${text}) = 1)`;
}

function comparison({ target, comparator, value }: Extract<FilterRestriction, { kind: "compare" }>): Condition {
  if (target.kind === "field" && target.name === "create_time") return created(comparator, value);
  return sql`(${operandOf(target)} ${COMPARATORS[comparator]} ${value})`;
}

function operandOf(target: FilterTarget): RawBuilder<unknown> {
  // A quoted path: label keys may hold dots and slashes, never quotes.
  if (target.kind === "label") return sql`json_extract(labels, ${`$."${target.key}"`})`;
  return sql.ref(COLUMNS[target.name === "create_time" ? "id" : target.name]);
}

/** A condition on the time of creation, as a range of ids. */
function created(comparator: Comparator, value: FilterValue): Condition {
  const timeMs = Number(value);
  const from = firstIdAt(Math.ceil(timeMs));
  const beyond = firstIdAt(Math.floor(timeMs) + 1);
  switch (comparator) {
    case "=":
      return sql`(id >= ${from} and id < ${beyond})`;
    case "<":
      return sql`(id < ${from})`;
    case "<=":
      return sql`(id < ${beyond})`;
    case ">":
      return sql`(id >= ${beyond})`;
    case ">=":
      return sql`(id >= ${from})`;
  }
}

/** What the ids from a millisecond on are not below: RFC 9562 puts the time into the first 48 bits, enough beyond the year 9999. */
function firstIdAt(timeMs: number): string {
  const hex = Math.max(0, timeMs).toString(16).padStart(12, "0");
  return `${hex.slice(0, 8)}-${hex.slice(8)}`;
}
