import { FilterRefusal, shown } from "#libs/tasks/filter/filter-error.js";

/** A piece of a filter. */
export interface FilterToken {
  /** `symbol`: a parenthesis, a dot, a minus or a comparator; `end`: there is nothing more. */
  readonly kind: "word" | "string" | "symbol" | "end";
  /** A string without its quotes and escapes, and without the star of a pattern. */
  readonly text: string;
  /** Its first character, from 1. */
  readonly position: number;
  /** A string that ends with a star: whatever begins with its text is meant. */
  readonly isPattern: boolean;
}

const SPACE = /\s/u;
const SURROGATE = /\p{Surrogate}/u;
const SYMBOLS = ["<=", ">=", "!=", "=", "<", ">", ":", "(", ")", ".", "-"];
/** What ends a word where a name may stand, and where a value may: `labels.team:docs`, but `2026-03-01T08:00:00.5Z`. */
const NAME_END = /[\s()"'.:=<>!]/u;
const VALUE_END = /[\s()"'=<>!]/u;
const ESCAPES: ReadonlyMap<string, string> = new Map([
  ["\\", "\\"],
  ['"', '"'],
  ["'", "'"],
  ["*", "*"],
  ["n", "\n"],
  ["r", "\r"],
  ["t", "\t"],
]);

/** Takes a filter apart. Its methods throw {@link FilterRefusal}. */
export class FilterLexer {
  readonly #characters: readonly string[];
  #at = 0;

  /** @param characters - the filter, one code point each */
  constructor(characters: readonly string[]) {
    this.#characters = characters;
    const broken = characters.findIndex((character) => SURROGATE.test(character));
    if (broken >= 0) throw new FilterRefusal(broken + 1, "well-formed Unicode", "half of a surrogate pair");
  }

  /** The next piece. `isValue`: a value may stand here, so dots, colons and minus signs belong to a word. */
  next(isValue: boolean): FilterToken {
    while (SPACE.test(this.#peek())) this.#at += 1;
    const start = this.#at;
    const first = this.#peek();
    if (first === "") return { kind: "end", text: "", position: start + 1, isPattern: false };
    if (first === '"' || first === "'") return this.#string(first);
    const isWord = !(isValue ? VALUE_END : NAME_END).test(first) && (isValue || first !== "-");
    if (isWord) return this.#word(isValue ? VALUE_END : NAME_END);
    const text = SYMBOLS.find((symbol) => symbol === this.#characters.slice(start, start + symbol.length).join(""));
    if (text === undefined) throw new FilterRefusal(start + 1, "!=", shown(first));
    this.#at += text.length;
    return { kind: "symbol", text, position: start + 1, isPattern: false };
  }

  /** The character at hand; empty at the end. */
  #peek(): string {
    return this.#characters[this.#at] ?? "";
  }

  #word(end: RegExp): FilterToken {
    const start = this.#at;
    while (this.#peek() !== "" && !end.test(this.#peek())) this.#at += 1;
    const text = this.#characters.slice(start, this.#at).join("");
    return { kind: "word", text, position: start + 1, isPattern: false };
  }

  #string(quote: string): FilterToken {
    const position = this.#at + 1;
    let text = "";
    for (this.#at += 1; this.#peek() !== quote; this.#at += 1) {
      const character = this.#peek();
      if (character === "") throw new FilterRefusal(this.#at + 1, `a closing ${quote}`, "the end");
      if (character === "*") {
        if (this.#characters[this.#at + 1] !== quote) {
          throw new FilterRefusal(this.#at + 1, "a star only at the end of a text, or \\* for the character", "“*”");
        }
        this.#at += 2;
        return { kind: "string", text, position, isPattern: true };
      }
      text += character === "\\" ? this.#escaped() : character;
    }
    this.#at += 1;
    return { kind: "string", text, position, isPattern: false };
  }

  /** Goes on to the last character of an escape and returns what it stands for. */
  #escaped(): string {
    this.#at += 1;
    const letter = this.#peek();
    const meant = ESCAPES.get(letter);
    if (meant !== undefined) return meant;
    const found = letter === "" ? "the end" : shown(letter);
    throw new FilterRefusal(this.#at + 1, `one of ${[...ESCAPES.keys()].join(" ")} after a backslash`, found);
  }
}
