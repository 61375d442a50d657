import type { Comparator, FilterExpression, FilterTarget, FilterValue } from "#libs/tasks/filter/filter-expression.js";
import type { PlainFieldName } from "#libs/tasks/filter/filter-fields.js";
import type { TaskState } from "#libs/tasks/task-state.js";

/** What a filter may look at. Times are milliseconds since 1970; null: the task has no such time. */
export interface FilterableTask {
  readonly id: string;
  readonly type: string;
  readonly queue: string;
  readonly state: TaskState;
  readonly priority: number;
  readonly attempt: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly createTimeMs: number;
  readonly updateTimeMs: number;
  readonly runTimeMs: number;
  readonly startTimeMs: number | null;
  readonly endTimeMs: number | null;
  readonly cancelRequestTimeMs: number | null;
}

/** Whether a task matches a filter. */
export type FilterPredicate = (task: FilterableTask) => boolean;

type Reader = (task: FilterableTask) => FilterValue | null;

const READERS: Readonly<Record<PlainFieldName, Reader>> = {
  id: (task) => task.id,
  type: (task) => task.type,
  queue: (task) => task.queue,
  state: (task) => task.state,
  priority: (task) => task.priority,
  attempt: (task) => task.attempt,
  create_time: (task) => task.createTimeMs,
  update_time: (task) => task.updateTimeMs,
  run_time: (task) => task.runTimeMs,
  start_time: (task) => task.startTimeMs,
  end_time: (task) => task.endTimeMs,
  cancel_request_time: (task) => task.cancelRequestTimeMs,
};

/** The predicate of a filter; null: every task matches. It says what the store's SQL says about the same task. */
export function filterPredicate(expression: FilterExpression | null): FilterPredicate {
  if (expression === null) return () => true;
  switch (expression.kind) {
    case "and": {
      const parts = expression.operands.map(filterPredicate);
      return (task) => parts.every((isMatch) => isMatch(task));
    }
    case "or": {
      const parts = expression.operands.map(filterPredicate);
      return (task) => parts.some((isMatch) => isMatch(task));
    }
    case "not": {
      const isMatch = filterPredicate(expression.operand);
      return (task) => !isMatch(task);
    }
    case "compare": {
      const { comparator, value } = expression;
      const read = readerOf(expression.target);
      return (task) => isTrue(read(task), comparator, value);
    }
    case "prefix": {
      const { prefix } = expression;
      const read = readerOf(expression.target);
      return (task) => {
        const actual = read(task);
        return typeof actual === "string" && actual.startsWith(prefix);
      };
    }
    case "present": {
      const read = readerOf(expression.target);
      return (task) => read(task) !== null;
    }
  }
}

function readerOf(target: FilterTarget): Reader {
  if (target.kind === "field") return READERS[target.name];
  const { key } = target;
  return ({ labels }) => (Object.hasOwn(labels, key) ? (labels[key] ?? null) : null);
}

function isTrue(actual: FilterValue | null, comparator: Comparator, value: FilterValue): boolean {
  if (comparator === "=") return actual === value;
  const order = orderOf(actual, value);
  if (order === undefined) return false;
  switch (comparator) {
    case "<":
      return order < 0;
    case "<=":
      return order <= 0;
    case ">":
      return order > 0;
    case ">=":
      return order >= 0;
  }
}

/** Below, at or above 0; undefined where there is nothing to compare. Only ids are texts with an order, and these are ASCII. */
function orderOf(actual: FilterValue | null, value: FilterValue): number | undefined {
  if (typeof actual === "number" && typeof value === "number") return actual - value;
  if (typeof actual !== "string" || typeof value !== "string") return undefined;
  return actual < value ? -1 : Number(actual > value);
}
