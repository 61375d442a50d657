import { filterErrorText } from "#libs/tasks/filter/filter-error.js";
import type { FilterExpression } from "#libs/tasks/filter/filter-expression.js";
import { parseFilter } from "#libs/tasks/filter/parse-filter.js";

/** The expression of a filter that must be right; null for an empty one. */
export function filterOf(text: string): FilterExpression | null {
  const result = parseFilter(text);
  if (!result.ok) throw new Error(`${text}: ${filterErrorText(result.error)}`);
  return result.expression;
}
