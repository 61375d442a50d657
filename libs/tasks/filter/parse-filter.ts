import { FilterRefusal, type FilterError } from "#libs/tasks/filter/filter-error.js";
import { joined, negated, type FilterExpression } from "#libs/tasks/filter/filter-expression.js";
import { FilterLexer, type FilterToken } from "#libs/tasks/filter/filter-lexer.js";
import { FilterTokens } from "#libs/tasks/filter/filter-tokens.js";
import { parseRestriction } from "#libs/tasks/filter/parse-restriction.js";
import { MAX_FILTER_CHARACTERS, MAX_FILTER_DEPTH, MAX_FILTER_RESTRICTIONS } from "#libs/tasks/limits.js";

/** What became of a text: an expression, null for a text of nothing but spaces, or an error. */
export type FilterResult =
  | { readonly ok: true; readonly expression: FilterExpression | null }
  | { readonly ok: false; readonly error: FilterError };

/**
 * Reads a filter in the language of AIP-160, and never throws:
 *
 *     expression  = sequence { "AND" sequence }
 *     sequence    = factor { factor }                   the same as AND
 *     factor      = term { "OR" term }                  OR binds tighter than AND
 *     term        = [ "NOT" | "-" ] ( "(" expression ")" | restriction )
 *     restriction = field comparator value | "labels" ":" key
 *
 * At most 16,000 characters, 20 open parentheses and 200 restrictions.
 */
export function parseFilter(text: string): FilterResult {
  try {
    const lexer = new FilterLexer(charactersOf(text));
    return { ok: true, expression: new FilterParser(new FilterTokens(lexer)).parse() };
  } catch (error) {
    if (error instanceof FilterRefusal) return { ok: false, error: error.error };
    throw error;
  }
}

function charactersOf(text: string): readonly string[] {
  const characters: string[] = [];
  for (const character of text) {
    if (characters.length === MAX_FILTER_CHARACTERS) {
      const expected = `at most ${MAX_FILTER_CHARACTERS.toLocaleString("en-GB")} characters`;
      throw new FilterRefusal(MAX_FILTER_CHARACTERS + 1, expected, "more");
    }
    characters.push(character);
  }
  return characters;
}

class FilterParser {
  readonly #tokens: FilterTokens;
  #depth = 0;
  #restrictions = 0;

  constructor(tokens: FilterTokens) {
    this.#tokens = tokens;
  }

  parse(): FilterExpression | null {
    if (this.#tokens.current.kind === "end") return null;
    const expression = this.#expression();
    const { current } = this.#tokens;
    if (current.kind !== "end") throw this.#tokens.refusal("AND, OR or another restriction");
    return expression;
  }

  #expression(): FilterExpression {
    const factors = [this.#factor()];
    for (;;) {
      const { current } = this.#tokens;
      if (isWord(current, "AND")) this.#tokens.advance();
      else if (!isTermStart(current)) return joined("and", factors);
      factors.push(this.#factor());
    }
  }

  #factor(): FilterExpression {
    const terms = [this.#term()];
    while (isWord(this.#tokens.current, "OR")) {
      this.#tokens.advance();
      terms.push(this.#term());
    }
    return joined("or", terms);
  }

  #term(): FilterExpression {
    const { current } = this.#tokens;
    if (!isWord(current, "NOT") && !isSymbol(current, "-")) return this.#simple();
    this.#tokens.advance();
    return negated(this.#simple());
  }

  #simple(): FilterExpression {
    const { current } = this.#tokens;
    if (isSymbol(current, "(")) return this.#composite();
    if (!isTermStart(current) || isWord(current, "NOT") || isSymbol(current, "-")) {
      throw this.#tokens.refusal("a field or (");
    }
    this.#restrictions += 1;
    if (this.#restrictions > MAX_FILTER_RESTRICTIONS) {
      throw new FilterRefusal(current.position, `at most ${MAX_FILTER_RESTRICTIONS} restrictions`, "one more");
    }
    return parseRestriction(this.#tokens);
  }

  #composite(): FilterExpression {
    this.#depth += 1;
    if (this.#depth > MAX_FILTER_DEPTH) {
      const { position } = this.#tokens.current;
      throw new FilterRefusal(position, `at most ${MAX_FILTER_DEPTH} open parentheses`, "one more");
    }
    this.#tokens.advance();
    const expression = this.#expression();
    if (!isSymbol(this.#tokens.current, ")")) throw this.#tokens.refusal("AND, OR, another restriction or )");
    this.#tokens.advance();
    this.#depth -= 1;
    return expression;
  }
}

/** Whether a term may begin here: everything but what only joins or ends others. */
function isTermStart(token: FilterToken): boolean {
  if (token.kind === "string") return true;
  if (token.kind === "word") return token.text !== "AND" && token.text !== "OR";
  return isSymbol(token, "(") || isSymbol(token, "-");
}

function isWord(token: FilterToken, text: string): boolean {
  return token.kind === "word" && token.text === text;
}

function isSymbol(token: FilterToken, text: string): boolean {
  return token.kind === "symbol" && token.text === text;
}
