import {
  negated,
  type Comparator,
  type FilterExpression,
  type FilterTarget,
} from "#libs/tasks/filter/filter-expression.js";
import { FILTER_FIELDS, isFilterFieldName, type FilterFieldKind } from "#libs/tasks/filter/filter-fields.js";
import type { FilterToken } from "#libs/tasks/filter/filter-lexer.js";
import type { FilterTokens } from "#libs/tasks/filter/filter-tokens.js";
import { VALUE_FORMS } from "#libs/tasks/filter/filter-value.js";
import { isLabelKey } from "#libs/tasks/names.js";

type Operator = Comparator | "!=" | ":";

const OPERATORS: readonly Operator[] = ["=", "!=", "<", "<=", ">", ">=", ":"];
const ORDERING = ["=", "!=", "<", "<=", ">", ">="] as const;
const EQUALITY = ["=", "!="] as const;
const KEYWORDS = ["AND", "OR", "NOT"];
const ALONE = "a comparison such as state = RUNNING; words alone are not searched for";

/** Reads `field comparator value` and goes on to what follows. Throws FilterRefusal. */
export function parseRestriction(tokens: FilterTokens): FilterExpression {
  const name = tokens.current;
  const isLower = name.kind === "word" && KEYWORDS.includes(name.text.toUpperCase());
  if (isLower) throw tokens.refusal(`${name.text.toUpperCase()} in capitals, or a field`);
  if (name.kind !== "word") throw tokens.refusal(ALONE);
  const next = tokens.advance();
  const isDot = next.kind === "symbol" && next.text === ".";
  const isAlone = !isDot && operatorOf(next) === undefined;
  if (!isFilterFieldName(name.text)) {
    throw tokens.refusal(isAlone ? ALONE : `one of the fields ${Object.keys(FILTER_FIELDS).join(", ")}`, name);
  }
  if (name.text === "labels") return isDot ? parseLabel(tokens) : parseLabelKey(tokens);
  const { kind, isOptional } = FILTER_FIELDS[name.text];
  return parseComparison(tokens, { kind: "field", name: name.text }, kind, operatorsOf(kind, isOptional));
}

/** Which operators a field takes. */
export function operatorsOf(kind: FilterFieldKind, isOptional: boolean): readonly Operator[] {
  const isOrdered = kind === "uuid" || kind === "integer" || kind === "time";
  return [...(isOrdered ? ORDERING : EQUALITY), ...(isOptional ? [":" as const] : [])];
}

function operatorOf(token: FilterToken): Operator | undefined {
  return token.kind === "symbol" ? OPERATORS.find((operator) => operator === token.text) : undefined;
}

/** `labels:KEY`. */
function parseLabelKey(tokens: FilterTokens): FilterExpression {
  if (operatorOf(tokens.current) !== ":") throw tokens.refusal("labels.KEY and a comparator, or labels:KEY");
  const target: FilterTarget = { kind: "label", key: labelKeyOf(tokens, tokens.advance({ toValue: true })) };
  tokens.advance();
  return { kind: "present", target };
}

/** `labels.KEY comparator value`, from the dot on. */
function parseLabel(tokens: FilterTokens): FilterExpression {
  const key = labelKeyOf(tokens, tokens.advance());
  const next = tokens.advance();
  if (next.text === "." && next.kind === "symbol") {
    throw tokens.refusal('a comparator, or quotes around a key with dots as in labels."app.example/x"');
  }
  return parseComparison(tokens, { kind: "label", key }, "labels", operatorsOf("labels", true));
}

function labelKeyOf(tokens: FilterTokens, token: FilterToken): string {
  const isKey = (token.kind === "word" || token.kind === "string") && !token.isPattern && isLabelKey(token.text);
  if (!isKey) throw tokens.refusal("a label key: 1 to 63 letters, digits, _, -, . and /, the first a letter");
  return token.text;
}

function parseComparison(
  tokens: FilterTokens,
  target: FilterTarget,
  kind: FilterFieldKind,
  operators: readonly Operator[],
): FilterExpression {
  const operator = operatorOf(tokens.current);
  if (operator === undefined || !operators.includes(operator)) {
    throw tokens.refusal(`a comparator: ${operators.join(" ")}`);
  }
  const value = tokens.advance({ toValue: true });
  const form = VALUE_FORMS[kind];
  if (value.kind !== "word" && value.kind !== "string") throw tokens.refusal(form.expected);
  if (value.kind === "word" && KEYWORDS.includes(value.text)) {
    throw tokens.refusal(`${form.expected}; write the word ${value.text} in quotes`);
  }
  const isStar = value.kind === "word" && value.text === "*";
  if (operator === ":" && (isStar || kind !== "labels")) {
    if (!isStar) throw tokens.refusal("* after a colon");
    tokens.advance();
    return { kind: "present", target };
  }
  const restriction = value.isPattern
    ? prefixOf(tokens, value, target, kind, operator)
    : comparisonOf(tokens, value, target, kind, operator);
  tokens.advance();
  return operator === "!=" ? negated(restriction) : restriction;
}

function prefixOf(
  tokens: FilterTokens,
  value: FilterToken,
  target: FilterTarget,
  kind: FilterFieldKind,
  operator: Operator,
): FilterExpression {
  const form = VALUE_FORMS[kind];
  const isEquality = operator === "=" || operator === "!=" || operator === ":";
  const prefix = isEquality ? form.readPrefix?.(value.text) : undefined;
  if (prefix === undefined) throw tokens.refusal(isEquality ? form.expected : `a whole value after ${operator}`);
  return { kind: "prefix", target, prefix };
}

function comparisonOf(
  tokens: FilterTokens,
  value: FilterToken,
  target: FilterTarget,
  kind: FilterFieldKind,
  operator: Operator,
): FilterExpression {
  const form = VALUE_FORMS[kind];
  if (value.kind === "word" && kind === "labels" && value.text.includes("*")) {
    throw tokens.refusal(`${form.expected}; with a star it must be in quotes`);
  }
  const read = form.read(value.text);
  if (read === undefined) throw tokens.refusal(form.expected);
  return { kind: "compare", target, comparator: operator === "!=" || operator === ":" ? "=" : operator, value: read };
}
