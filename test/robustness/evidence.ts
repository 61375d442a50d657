/** What became of one promise. */
export interface Verdict {
  readonly promise: string;
  readonly held: boolean;
  /** How many things were looked at; 0 proves nothing. */
  readonly checked: number;
  /** What was looked at, for people: `tasks`, `events`, … */
  readonly unit: string;
  /** Numbers worth knowing that break no promise. */
  readonly notes: readonly string[];
  /** What breaks it: task ids, sequences, lines of the journal. */
  readonly evidence: readonly string[];
}

/** Gathers what speaks against one promise. */
export class Evidence {
  readonly #promise: string;
  readonly #unit: string;
  readonly #evidence: string[] = [];
  readonly #notes: string[] = [];
  #checked = 0;

  constructor(promise: string, unit: string) {
    this.#promise = promise;
    this.#unit = unit;
  }

  /** Looks at one thing: what is not so breaks the promise. */
  expect(isSo: boolean, otherwise: () => string): void {
    this.#checked += 1;
    if (!isSo) this.#evidence.push(otherwise());
  }

  /** Says something that breaks no promise. */
  note(text: string): void {
    this.#notes.push(text);
  }

  verdict(): Verdict {
    return {
      promise: this.#promise,
      held: this.#evidence.length === 0,
      checked: this.#checked,
      unit: this.#unit,
      notes: this.#notes,
      evidence: this.#evidence,
    };
  }
}
