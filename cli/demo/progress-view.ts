import pico from "picocolors";
import { formatBar, formatCount, formatPercent, formatSeconds } from "#cli/demo/progress-text.js";

/** One task that runs now. */
export interface TaskLine {
  readonly title: string;
  /** [0, 1]. */
  readonly fraction: number;
  readonly message: string;
}

/** What there is to see. */
export interface ProgressPicture {
  readonly label: string;
  readonly done: number;
  readonly total: number;
  readonly failed: number;
  readonly elapsedMs: number;
  readonly running: readonly TaskLine[];
}

/** Shows one picture after another. */
export interface ProgressView {
  /** Shows the picture, now or a moment later; the latest wins. */
  show(picture: ProgressPicture): void;
  /** Shows the last picture and leaves it standing. */
  end(): void;
}

const FRAME_MS = 80;
const PLAIN_LINE_MS = 1000;
const PLAIN_STEP = 0.05;
const MAX_TASK_LINES = 6;
const TITLE_WIDTH = 34;

/** A view for where the output goes: a block that redraws itself on a terminal, plain lines elsewhere. */
export function progressView(output: NodeJS.WriteStream): ProgressView {
  return output.isTTY ? new TerminalView(output) : new PlainView(output);
}

class TerminalView implements ProgressView {
  readonly #output: NodeJS.WriteStream;
  #picture: ProgressPicture | undefined;
  #timer: NodeJS.Timeout | undefined;
  #drawnLines = 0;

  constructor(output: NodeJS.WriteStream) {
    this.#output = output;
  }

  show(picture: ProgressPicture): void {
    this.#picture = picture;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#draw();
    }, FRAME_MS);
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#picture !== undefined) this.#picture = { ...this.#picture, running: [] };
    this.#draw();
    this.#picture = undefined;
    this.#drawnLines = 0;
  }

  #draw(): void {
    if (this.#picture === undefined) return;
    const lines = blockLines(this.#picture, this.#output.columns || 80);
    const back = this.#drawnLines > 0 ? `\u001b[${this.#drawnLines}A` : "";
    this.#output.write(`${back}\r\u001b[J${lines.join("\n")}\n`);
    this.#drawnLines = lines.length;
  }
}

class PlainView implements ProgressView {
  readonly #output: NodeJS.WriteStream;
  #picture: ProgressPicture | undefined;
  #saidAtMs = 0;
  #saidDone = -1;

  constructor(output: NodeJS.WriteStream) {
    this.#output = output;
  }

  show(picture: ProgressPicture): void {
    this.#picture = picture;
    const step = picture.done - this.#saidDone >= picture.total * PLAIN_STEP;
    const late = picture.elapsedMs - this.#saidAtMs >= PLAIN_LINE_MS;
    if (picture.done > this.#saidDone && (step || late)) this.#say(picture);
  }

  end(): void {
    if (this.#picture !== undefined && this.#picture.done > this.#saidDone) this.#say(this.#picture);
    this.#picture = undefined;
    this.#saidAtMs = 0;
    this.#saidDone = -1;
  }

  #say(picture: ProgressPicture): void {
    this.#saidAtMs = picture.elapsedMs;
    this.#saidDone = picture.done;
    this.#output.write(`${picture.label}: ${overall(picture)}\n`);
  }
}

/** The lines of the block, none wider than the terminal. */
export function blockLines(picture: ProgressPicture, columns: number): string[] {
  const share = picture.total > 0 ? picture.done / picture.total : 0;
  const head = `${pico.bold(picture.label)} ${pico.green(formatBar(share, 30))} ${overall(picture)}`;
  const tasks = picture.running.slice(0, MAX_TASK_LINES).map(({ title, fraction, message }) => {
    const room = Math.max(0, columns - TITLE_WIDTH - 24);
    return `  ${pico.cyan(formatBar(fraction, 12))} ${fit(title, TITLE_WIDTH)} ${pico.dim(message.slice(0, room))}`;
  });
  return [head, ...tasks];
}

function overall({ done, total, failed, elapsedMs }: ProgressPicture): string {
  const rate = elapsedMs > 0 ? done / (elapsedMs / 1000) : 0;
  const failures = failed > 0 ? `, ${failed} failed` : "";
  return `${formatPercent(done, total)} ${done}/${total}${failures}, ${formatCount(rate)}/s, ${formatSeconds(elapsedMs)}`;
}

function fit(text: string, width: number): string {
  return text.length <= width ? text.padEnd(width) : `…${text.slice(text.length - width + 1)}`;
}
