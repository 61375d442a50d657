import pc from "picocolors";
import { isTerminal, type WatchFrame } from "#libs/client/task-watch.js";
import { Task_State as State, type Progress, type Task, type TaskError } from "#libs/proto/gen/taskwire/v1/task.js";
import { LogLine_Level as Level, type TaskEvent } from "#libs/proto/gen/taskwire/v1/task_event.js";
import { harmlessCell, harmlessLine, harmlessText } from "#cli/output/harmless-text.js";
import { errorText, levelText, progressText, spanText, stateText } from "#cli/output/task-text.js";

/** What one watched task looks like on a terminal, kept up to date by its frames. */
export class TaskLine {
  readonly id: string;
  readonly type: string;
  readonly queue: string;
  state: State;
  /** The sequence of the last event seen. */
  sequence: number;
  error: TaskError | undefined;
  #attempt: number;
  #progress: Progress | undefined;
  #note = "";
  #since: Date | undefined;
  #until: Date | undefined;

  constructor(task: Task, afterSequence?: number) {
    this.id = task.id;
    this.type = task.type;
    this.queue = task.queue;
    this.state = task.state;
    this.sequence = afterSequence ?? 0;
    this.#attempt = task.attempt;
    this.#adopt(task);
  }

  /** Takes a frame in; returns lasting lines to print above, for logs, output and warnings. */
  apply(frame: WatchFrame): string[] {
    if (frame.kind === "snapshot") {
      this.sequence = frame.task.sequence;
      this.#adopt(frame.task);
      return [];
    }
    this.sequence = frame.event.sequence;
    this.state = frame.event.state;
    this.#attempt = frame.event.attempt;
    return this.#applyEvent(frame.event);
  }

  /** The number of the latest attempt; 0: there was none. */
  get attempt(): number {
    return this.#attempt;
  }

  /** When the task ended, in milliseconds since 1970; 0: it has not, or nobody said when. */
  get endMs(): number {
    return this.#until?.getTime() ?? 0;
  }

  /** The line as it stands at a time. */
  text(now: Date): string {
    const parts = [pc.dim(this.id), harmlessCell(this.type), stateText(this.state)];
    if (this.#attempt > 1) parts.push(`attempt ${this.#attempt}`);
    const span = this.span(now);
    if (span !== "") parts.push(pc.dim(span));
    parts.push(this.detail());
    return parts.filter((part) => part !== "").join("  ");
  }

  /** How long it has been running, or ran, or has been waiting if it never did; empty where nobody said when that began. */
  span(now: Date): string {
    return this.#since === undefined ? "" : spanText((this.#until ?? now).getTime() - this.#since.getTime());
  }

  /** Progress, why it failed, or what it is waiting for, harmless to the terminal and without line breaks. */
  detail(): string {
    const parts: string[] = [];
    if (this.state === State.FAILED) parts.push(errorText(this.error));
    else if (this.state === State.RUNNING) parts.push(progressText(this.#progress));
    if (!isTerminal(this.state)) parts.push(this.#note);
    return parts
      .filter((part) => part !== "")
      .map(harmlessCell)
      .join("  ");
  }

  #adopt(task: Task): void {
    this.state = task.state;
    this.error = task.error;
    this.#attempt = task.attempt;
    this.#progress = task.progress;
    this.#since = task.startTime ?? task.createTime;
    this.#until = task.endTime;
  }

  #applyEvent(event: TaskEvent): string[] {
    const { kind } = event;
    switch (kind?.$case) {
      case "started":
        this.#since = event.time;
        this.#progress = undefined;
        this.#note = "";
        return [];
      case "progress":
        this.#progress = kind.value;
        return [];
      case "log":
        return [lastingLine(event.time, kind.value.level, kind.value.message)];
      case "output":
        return harmlessText(kind.value.text).trimEnd().split("\n");
      case "retryScheduled":
        this.error = kind.value.error;
        this.#note = `${errorText(kind.value.error)}; tries again at ${shortTime(kind.value.runTime)}`;
        return [];
      case "cancelRequested":
      case "cancelDelivered":
        this.#note = "is being cancelled";
        return [];
      case "cancelAcknowledged":
        this.#note = "is being cancelled; its handler has been told";
        return [];
      case "cancelGraceExpired":
        this.#note = "did not stop in time and is being killed";
        return [];
      case "reopened":
        this.#since = event.time;
        this.#until = undefined;
        this.#progress = undefined;
        this.#note = "was opened again";
        return [];
      case "softLimitReached":
        this.#note = "has reached its soft time limit";
        return [];
      case "released":
        this.#note = `was handed back: ${kind.value.reason}; goes on at ${shortTime(kind.value.runTime ?? event.time)}`;
        return [];
      case "failed":
        this.error = kind.value.error;
        this.#until = event.time;
        return [];
      case "completed":
        this.#until = event.time;
        return kind.value.warnings.map((warning) => lastingLine(event.time, Level.WARN, errorText(warning)));
      case "cancelled":
        this.#until = event.time;
        return [];
      case "staleAttemptRejected": {
        const { reportedAttempt, workerId } = kind.value;
        const what = `attempt ${reportedAttempt} of worker ${workerId} was refused: the task is not with it`;
        return [lastingLine(event.time, Level.WARN, what)];
      }
      case "created":
      case undefined:
        return [];
    }
  }
}

function lastingLine(time: Date | undefined, level: Level, message: string): string {
  return `${pc.dim(shortTime(time))} ${levelText(level)} ${harmlessLine(message)}`;
}

function shortTime(time: Date | undefined): string {
  return time === undefined ? "" : time.toTimeString().slice(0, 8);
}
