import { fitWidth } from "#cli/output/table.js";

/** A block of lines at the bottom of a terminal that is drawn again in place, with lasting lines scrolling away above it. */
export class LiveLines {
  readonly #stream: NodeJS.WriteStream;
  #lines: readonly string[] = [];
  #pending: string[] = [];
  #drawn = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
  }

  /** How many lines the block may have; of more than that the last ones are left out. */
  get height(): number {
    return Math.max(1, (this.#stream.rows || 24) - 2);
  }

  /** Prints a line that stays, above the block. */
  print(line: string): void {
    this.#pending.push(line);
    this.#schedule();
  }

  /** Replaces the block; drawn soon, at most ten times a second. */
  update(lines: readonly string[]): void {
    this.#lines = lines;
    this.#schedule();
  }

  /** Draws what is still to be drawn and leaves the block where it is. */
  end(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#draw();
    this.#drawn = 0;
    this.#lines = [];
  }

  #schedule(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#draw();
    }, DRAW_INTERVAL_MS);
  }

  #draw(): void {
    const columns = this.#stream.columns || 80;
    const rows = this.height;
    const block =
      this.#lines.length <= rows
        ? this.#lines
        : [...this.#lines.slice(0, rows - 1), `… ${this.#lines.length - rows + 1} more`];
    const up = this.#drawn === 0 ? "" : `\u001b[${this.#drawn}A`;
    const text = [...this.#pending, ...block.map((line) => fitWidth(line, columns - 1))]
      .map((line) => `\u001b[2K${line}\n`)
      .join("");
    this.#stream.write(`${up}\r${text}\u001b[0J`);
    this.#drawn = block.length;
    this.#pending = [];
  }
}

const DRAW_INTERVAL_MS = 100;
