import type { PlainFieldName } from "#libs/tasks/filter/filter-fields.js";

/**
 * What a filter says, as plain data. A task either matches or does not; there is no third answer.
 *
 * What a task does not have (no `end_time`, no such label) makes every comparison with it false, and `not` turns that into true. So
 * `end_time < T` leaves out tasks that have not ended, and `NOT end_time < T` and `labels.team != "docs"` (which is
 * `NOT labels.team = "docs"`) let tasks without the field pass.
 *
 * The parser never nests `and` in `and`, `or` in `or` or `not` in `not`, and gives `and` and `or` two operands or more.
 */
export type FilterExpression =
  | { readonly kind: "and" | "or"; readonly operands: readonly FilterExpression[] }
  | { readonly kind: "not"; readonly operand: FilterExpression }
  | FilterRestriction;

/** What a filter says about one field. */
export type FilterRestriction =
  | {
      readonly kind: "compare";
      readonly target: FilterTarget;
      readonly comparator: Comparator;
      readonly value: FilterValue;
    }
  /** The text begins with this, letter for letter. */
  | { readonly kind: "prefix"; readonly target: FilterTarget; readonly prefix: string }
  /** The task has it. */
  | { readonly kind: "present"; readonly target: FilterTarget };

/** What a restriction is about. */
export type FilterTarget =
  { readonly kind: "field"; readonly name: PlainFieldName } | { readonly kind: "label"; readonly key: string };

/** How a value is compared; `!=` is `not` with `=`. Texts other than ids know only `=`. */
export type Comparator = "=" | "<" | "<=" | ">" | ">=";

/**
 * A text, a whole number, the number of a state, or a time in milliseconds since 1970. Tasks keep whole milliseconds; a time between
 * two of them is halfway, wherever between them it lies.
 */
export type FilterValue = string | number;

/** Several expressions as one of them. */
export function joined(kind: "and" | "or", expressions: readonly FilterExpression[]): FilterExpression {
  const operands = expressions.flatMap((each) => (each.kind === kind ? each.operands : [each]));
  const [only] = operands;
  return operands.length === 1 && only !== undefined ? only : { kind, operands };
}

/** The opposite of an expression. */
export function negated(expression: FilterExpression): FilterExpression {
  return expression.kind === "not" ? expression.operand : { kind: "not", operand: expression };
}
