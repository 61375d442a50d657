import { appendFileSync, existsSync, readFileSync } from "node:fs";

/** What handler code did: began, went on, heard its signal, came to its end. */
export type JournalEvent = "begin" | "beat" | "abort" | "end";

/** One line that handler code wrote about itself. */
export interface JournalLine {
  readonly taskId: string;
  readonly attempt: number;
  /** The process the handler ran in, and its parent: one of the two is the worker. */
  readonly pid: number;
  readonly parentPid: number;
  readonly event: JournalEvent;
  /** See {@link monotonicMs}. */
  readonly atMs: number;
  /** By the clock of the wall, which may have been moved. */
  readonly wallMs: number;
  /** At the begin and the end: the token of this run of the attempt; on abort: why. */
  readonly detail: string;
}

/** Read at once: a handler that begins after its worker was killed belongs to init by then. */
const PARENT_PID = process.ppid;

/** Milliseconds of a clock that all processes of this machine share and that nobody can move (CLOCK_MONOTONIC). */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint() / 1000n) / 1000;
}

/**
 * What handler code leaves behind, whatever becomes of its process: lines appended to one file by all of them, each with one write.
 */
export class EffectJournal {
  readonly #path: string;
  readonly #prefix: string;

  constructor(path: string, taskId: string, attempt: number) {
    this.#path = path;
    this.#prefix = `${taskId} ${attempt} ${process.pid} ${PARENT_PID}`;
  }

  write(event: JournalEvent, detail = "-"): void {
    appendFileSync(this.#path, `${this.#prefix} ${event} ${monotonicMs()} ${Date.now()} ${detail}\n`);
  }
}

const LINE = /^(\S+) (\d+) (\d+) (\d+) (begin|beat|abort|end) ([\d.]+) (\d+) (\S+)$/;

/** Reads a journal. Throws on a line that no {@link EffectJournal} can have written. */
export function readJournal(path: string): JournalLine[] {
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, "utf8").split("\n");
  return lines.filter((line) => line !== "").map(parseLine);
}

function parseLine(line: string): JournalLine {
  const match = LINE.exec(line);
  if (match === null) throw new Error(`no line of a journal: ${line}`);
  const [, taskId = "", attempt, pid, parentPid, event = "", atMs, wallMs, detail = ""] = match;
  return {
    taskId,
    attempt: Number(attempt),
    pid: Number(pid),
    parentPid: Number(parentPid),
    event: eventOf(event),
    atMs: Number(atMs),
    wallMs: Number(wallMs),
    detail,
  };
}

function eventOf(word: string): JournalEvent {
  return word === "begin" || word === "beat" || word === "abort" ? word : "end";
}
