import pc from "picocolors";
import {
  Task_State as State,
  TaskAttempt_Outcome as Outcome,
  type Progress,
  type TaskError,
} from "#libs/proto/gen/taskwire/v1/task.js";
import { LogLine_Level as Level } from "#libs/proto/gen/taskwire/v1/task_event.js";

/** The name of a state, coloured. */
export function stateText(state: State): string {
  const name = State[state] ?? `STATE_${String(state)}`;
  switch (state) {
    case State.RUNNING:
      return pc.cyan(name);
    case State.COMPLETED:
      return pc.green(name);
    case State.FAILED:
      return pc.red(name);
    case State.CANCELLED:
      return pc.yellow(name);
    default:
      return name;
  }
}

/** The name of an attempt's outcome, coloured as the state that it leads to. */
export function outcomeText(outcome: Outcome): string {
  const name = Outcome[outcome] ?? `OUTCOME_${String(outcome)}`;
  switch (outcome) {
    case Outcome.RUNNING:
      return pc.cyan(name);
    case Outcome.SUCCEEDED:
      return pc.green(name);
    case Outcome.FAILED:
    case Outcome.LOST:
      return pc.red(name);
    case Outcome.CANCELLED:
      return pc.yellow(name);
    default:
      return name;
  }
}

/** The name of a log line's level in five columns, coloured by how grave it is. */
export function levelText(level: Level): string {
  const name = (Level[level] ?? "").toLowerCase().padEnd(5);
  if (level === Level.ERROR) return pc.red(name);
  return level === Level.WARN ? pc.yellow(name) : pc.dim(name);
}

const BAR_COLUMNS = 20;

/** `████████░░░░  40%  4/10  reading` as far as it is known. */
export function progressText(progress: Progress | undefined): string {
  if (progress === undefined) return "";
  const { fraction, current, total, message } = progress;
  const share = fraction ?? (current !== undefined && total !== undefined && total > 0 ? current / total : undefined);
  const parts: string[] = [];
  if (share !== undefined) {
    const full = Math.round(Math.min(1, Math.max(0, share)) * BAR_COLUMNS);
    parts.push(`${"█".repeat(full)}${"░".repeat(BAR_COLUMNS - full)} ${String(Math.floor(share * 100)).padStart(3)}%`);
  }
  if (current !== undefined) parts.push(total === undefined ? `${current}` : `${current}/${total}`);
  if (message !== "") parts.push(message);
  return parts.join("  ");
}

/** `HANDLER_ERROR: it broke` */
export function errorText(error: TaskError | undefined): string {
  return error === undefined ? "no reason was given" : `${error.code}: ${error.message}`;
}

/** A span as people say it: `950 ms`, `3.2 s`, `4 min 5 s`, `2 h 3 min`, `3 d 4 h`. */
export function spanText(milliseconds: number): string {
  if (milliseconds < 1000) return `${Math.max(0, Math.round(milliseconds))} ms`;
  const seconds = milliseconds / 1000;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${Math.floor(seconds % 60)} s`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}
