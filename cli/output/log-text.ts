import pc from "picocolors";
import type { LogLine, OutputChunk, TaskEvent } from "#libs/proto/gen/taskwire/v1/task_event.js";
import { harmlessLine, harmlessText } from "#cli/output/harmless-text.js";
import { levelText } from "#cli/output/task-text.js";

const LINES_CAPPED = "[capped: later lines of this attempt were dropped]";
const OUTPUT_CAPPED = "[capped: later output of this attempt was dropped]";

/** The log lines and the output of one task as they look on a terminal, one event after the other. */
export class LogText {
  #tellsAttempt: boolean;
  /** Attempt and name of the output whose line is not finished; undefined: the next text begins a line. */
  #unfinished: string | undefined;

  /** `tellsAttempt`: whether lines say which attempt they are of; they do in any case from the second attempt on. */
  constructor(tellsAttempt: boolean) {
    this.#tellsAttempt = tellsAttempt;
  }

  /**
   * What to write for an event, harmless to the terminal; empty for other kinds than `log` and `output`. A log line is one line. Output is
   * as it is: a piece goes on where the one before it of the same attempt and name stopped, anything else begins a line.
   */
  of({ time, attempt, kind }: TaskEvent): string {
    if (attempt > 1) this.#tellsAttempt = true;
    switch (kind?.$case) {
      case "log":
        return `${this.end()}${this.#logLine(time, attempt, kind.value)}\n`;
      case "output":
        return this.#output(attempt, kind.value);
      default:
        return "";
    }
  }

  /** The line break that is due where output has stopped within a line, otherwise nothing. */
  end(): string {
    const due = this.#unfinished === undefined ? "" : "\n";
    this.#unfinished = undefined;
    return due;
  }

  #logLine(time: Date | undefined, attempt: number, { level, message, fields, capped }: LogLine): string {
    const parts = [pc.dim(localTime(time)), levelText(level)];
    if (this.#tellsAttempt) parts.push(pc.dim(`#${attempt}`));
    parts.push(harmlessLine(message));
    for (const [key, value] of Object.entries(fields ?? {}))
      parts.push(pc.dim(harmlessLine(`${key}=${JSON.stringify(value)}`)));
    if (capped) parts.push(pc.yellow(LINES_CAPPED));
    return parts.join(" ");
  }

  #output(attempt: number, { name, text, capped }: OutputChunk): string {
    const stream = `${attempt} ${name}`;
    const begin = stream === this.#unfinished ? "" : this.end();
    if (text !== "") this.#unfinished = text.endsWith("\n") ? undefined : stream;
    return `${begin}${harmlessText(text)}${capped ? `${this.end()}${pc.yellow(OUTPUT_CAPPED)}\n` : ""}`;
  }
}

/** `2026-03-01 09:00:00.123`, in this machine's time zone. */
function localTime(time: Date | undefined): string {
  if (time === undefined) return "";
  const shifted = new Date(time.getTime() - time.getTimezoneOffset() * 60_000);
  return shifted.toISOString().slice(0, 23).replace("T", " ");
}
