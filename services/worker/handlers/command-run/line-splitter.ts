import { PermanentError } from "#libs/define-task/define-task.js";

const NEWLINE = 0x0a;

/** Bounds of what a program may write to stdout, bytes. */
export interface LineBounds {
  /** Longest line, its end not counted. */
  readonly lineBytes: number;
  readonly stdoutBytes: number;
}

/** Cuts a stream of bytes into lines of UTF-8 and never holds more than one of them. */
export class LineSplitter {
  readonly #bounds: LineBounds;
  readonly #onLine: (line: string) => void;
  #parts: Buffer[] = [];
  #held = 0;
  #total = 0;

  constructor(bounds: LineBounds, onLine: (line: string) => void) {
    this.#bounds = bounds;
    this.#onLine = onLine;
  }

  /** Takes the next bytes. Throws PermanentError `COMMAND_OUTPUT_TOO_LARGE` at either bound, and what `onLine` throws. */
  write(chunk: Buffer): void {
    this.#total += chunk.length;
    if (this.#total > this.#bounds.stdoutBytes) throw tooLarge(`more than ${this.#bounds.stdoutBytes} bytes to stdout`);
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      this.#hold(chunk.subarray(start, end));
      start = end + 1;
      this.#emit();
    }
    this.#hold(chunk.subarray(start));
  }

  /** Takes the end: what has no line end is a line too. Throws what `onLine` throws. */
  end(): void {
    if (this.#held > 0) this.#emit();
  }

  #hold(part: Buffer): void {
    this.#held += part.length;
    if (this.#held > this.#bounds.lineBytes) throw tooLarge(`a line of more than ${this.#bounds.lineBytes} bytes`);
    if (part.length > 0) this.#parts.push(part);
  }

  #emit(): void {
    const line = Buffer.concat(this.#parts).toString();
    this.#parts = [];
    this.#held = 0;
    this.#onLine(line);
  }
}

function tooLarge(what: string): PermanentError {
  return new PermanentError("COMMAND_OUTPUT_TOO_LARGE", `the program wrote ${what}`);
}
