import { FilterRefusal, shown } from "#libs/tasks/filter/filter-error.js";
import type { FilterLexer, FilterToken } from "#libs/tasks/filter/filter-lexer.js";

/** The pieces of a filter, seen one at a time. */
export class FilterTokens {
  readonly #lexer: FilterLexer;
  #current: FilterToken;

  constructor(lexer: FilterLexer) {
    this.#lexer = lexer;
    this.#current = lexer.next(false);
  }

  /** The piece at hand. */
  get current(): FilterToken {
    return this.#current;
  }

  /** Goes on to the next piece and returns it. Throws {@link FilterRefusal} where there is none. */
  advance({ toValue = false } = {}): FilterToken {
    this.#current = this.#lexer.next(toValue);
    return this.#current;
  }

  /** The refusal of a piece, by default that at hand. */
  refusal(expected: string, token: FilterToken = this.#current): FilterRefusal {
    const found = token.kind === "end" ? "the end" : shown(token.isPattern ? `${token.text}*` : token.text);
    return new FilterRefusal(token.position, expected, found);
  }
}
