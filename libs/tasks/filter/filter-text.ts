import type { FilterExpression, FilterTarget, FilterValue } from "#libs/tasks/filter/filter-expression.js";
import { FILTER_FIELDS } from "#libs/tasks/filter/filter-fields.js";
import { filterTimeText } from "#libs/tasks/filter/filter-time.js";
import { stateName } from "#libs/tasks/filter/filter-value.js";

const ESCAPED = /["\\*\n\r\t]/g;
const LETTERS: Readonly<Record<string, string>> = { "\n": "n", "\r": "r", "\t": "t" };

/** A text as a filter's string, quotes included. */
export function quotedForFilter(text: string): string {
  return `"${escaped(text)}"`;
}

/**
 * An expression as a filter that the parser turns into the same expression. Filters that differ only in spaces, in parentheses that change
 * nothing, or in how a value is written give the same text.
 */
export function filterText(expression: FilterExpression): string {
  switch (expression.kind) {
    case "and":
      return expression.operands.map(filterText).join(" AND ");
    case "or":
      return expression.operands.map((each) => (each.kind === "and" ? enclosed(each) : filterText(each))).join(" OR ");
    case "not": {
      const { operand } = expression;
      const isJoined = operand.kind === "and" || operand.kind === "or";
      return `NOT ${isJoined ? enclosed(operand) : filterText(operand)}`;
    }
    case "compare": {
      const { target, comparator, value } = expression;
      return `${targetText(target)} ${comparator} ${valueText(target, value)}`;
    }
    case "prefix":
      return `${targetText(expression.target)} = "${escaped(expression.prefix)}*"`;
    case "present":
      return `${targetText(expression.target)}:*`;
  }
}

function enclosed(expression: FilterExpression): string {
  return `(${filterText(expression)})`;
}

function targetText(target: FilterTarget): string {
  return target.kind === "field" ? target.name : `labels.${quotedForFilter(target.key)}`;
}

function valueText(target: FilterTarget, value: FilterValue): string {
  if (typeof value === "string") return quotedForFilter(value);
  const kind = target.kind === "field" ? FILTER_FIELDS[target.name].kind : "labels";
  if (kind === "state") return stateName(value);
  return kind === "time" ? filterTimeText(value) : String(value);
}

function escaped(text: string): string {
  return text.replaceAll(ESCAPED, (character) => `\\${LETTERS[character] ?? character}`);
}
