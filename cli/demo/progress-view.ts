import pc from "picocolors";
import { formatBar, formatCount, formatPercent, formatSeconds } from "#cli/demo/progress-text.js";
import { LiveLines } from "#cli/watch/live-lines.js";

/** One task that runs now. */
export interface RunningTask {
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
  readonly running: readonly RunningTask[];
}

/** Shows one picture after another. */
export interface ProgressView {
  /** Shows the picture, now or a moment later; the latest wins. */
  show(picture: ProgressPicture): void;
  /** Shows the last picture without running tasks and leaves it standing. */
  end(): void;
}

const PLAIN_LINE_MS = 1000;
const PLAIN_STEP = 0.05;
const MAX_TASK_LINES = 6;
const TITLE_WIDTH = 36;

/** A view for where the output goes: a block that is drawn again in place on a terminal, plain lines elsewhere. */
export function progressView(output: NodeJS.WriteStream): ProgressView {
  return output.isTTY ? new TerminalView(output) : new PlainView(output);
}

class TerminalView implements ProgressView {
  readonly #lines: LiveLines;
  #picture: ProgressPicture | undefined;

  constructor(output: NodeJS.WriteStream) {
    this.#lines = new LiveLines(output);
  }

  show(picture: ProgressPicture): void {
    this.#picture = picture;
    this.#lines.update(blockLines(picture));
  }

  end(): void {
    if (this.#picture !== undefined) this.#lines.update(blockLines({ ...this.#picture, running: [] }));
    this.#lines.end();
  }
}

/** A line whenever something was done and a second or a twentieth of the work has passed since the last one. */
class PlainView implements ProgressView {
  readonly #output: NodeJS.WriteStream;
  #picture: ProgressPicture | undefined;
  #saidAtMs = 0;
  #saidDone = 0;

  constructor(output: NodeJS.WriteStream) {
    this.#output = output;
  }

  show(picture: ProgressPicture): void {
    this.#picture = picture;
    const done = picture.done - this.#saidDone;
    const waited = picture.elapsedMs - this.#saidAtMs;
    if (done > 0 && (done >= picture.total * PLAIN_STEP || waited >= PLAIN_LINE_MS)) this.#say(picture);
  }

  end(): void {
    if (this.#picture !== undefined && this.#picture.done > this.#saidDone) this.#say(this.#picture);
  }

  #say(picture: ProgressPicture): void {
    this.#saidAtMs = picture.elapsedMs;
    this.#saidDone = picture.done;
    this.#output.write(`${picture.label}  ${overall(picture)}\n`);
  }
}

function blockLines(picture: ProgressPicture): string[] {
  const share = picture.total > 0 ? picture.done / picture.total : 0;
  const head = `${pc.bold(picture.label)}  ${pc.green(formatBar(share, 30))}  ${overall(picture)}`;
  const tasks = picture.running
    .slice(0, MAX_TASK_LINES)
    .map(({ title, fraction, message }) => `  ${pc.cyan(formatBar(fraction, 12))}  ${fit(title)}  ${pc.dim(message)}`);
  return [head, ...tasks];
}

function overall({ done, total, failed, elapsedMs }: ProgressPicture): string {
  const rate = elapsedMs > 0 ? done / (elapsedMs / 1000) : 0;
  const failures = failed > 0 ? `  ${failed} failed` : "";
  return `${formatPercent(done, total)}  ${done}/${total}  ${formatCount(rate)}/s  ${formatSeconds(elapsedMs)}${failures}`;
}

function fit(text: string): string {
  return text.length <= TITLE_WIDTH ? text.padEnd(TITLE_WIDTH) : `…${text.slice(text.length - TITLE_WIDTH + 1)}`;
}
