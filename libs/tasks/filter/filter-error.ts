/** Why a text is no filter. */
export interface FilterError {
  /** The character where it goes wrong, from 1; one beyond the last character when the end comes too early. */
  readonly position: number;
  /** What could stand there, for people. */
  readonly expected: string;
  /** What stands there, for people. */
  readonly found: string;
}

/** The error in words, without a full stop. */
export function filterErrorText({ position, expected, found }: FilterError): string {
  return `character ${position}: expected ${expected}, found ${found}`;
}

/** Carries a {@link FilterError} out of the parser's recursion, and never out of the parser. */
export class FilterRefusal extends Error {
  readonly error: FilterError;

  constructor(position: number, expected: string, found: string) {
    super("not a filter");
    this.error = { position, expected, found };
  }
}

const MAX_FOUND_CHARACTERS = 30;

/** A piece of a filter as an error shows it: in quotes, and cut where it is long. */
export function shown(text: string): string {
  const characters = [...text];
  const isLong = characters.length > MAX_FOUND_CHARACTERS;
  return `“${isLong ? `${characters.slice(0, MAX_FOUND_CHARACTERS).join("")}…` : text}”`;
}
