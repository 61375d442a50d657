import type { TaskEvent } from "#libs/proto/gen/taskwire/v1/task_event.js";
import { isLegalMove, isTerminal, TaskState } from "#libs/tasks/task-state.js";
import { blankTask, type AttemptEnd, type ReplayedTask, type ReplayFault } from "#task-service/verify/replayed-task.js";
import {
  errorOf,
  failedAttempt,
  isWorkerLost,
  mayHappenIn,
  moveOf,
  releasedError,
  stateName,
} from "#task-service/verify/event-meaning.js";

type Kind = NonNullable<TaskEvent["kind"]>;
type ValueOf<C extends Kind["$case"]> = Extract<Kind, { $case: C }>["value"];

/**
 * Adds up the events of one task, the first one first, to what the task must look like. A second opinion beside `libs/tasks/decide.ts`:
 * it knows the table of legal moves and what each event means, and nothing of reports or retry decisions.
 */
export class TaskReplay {
  readonly task: ReplayedTask = blankTask();
  readonly #onFault: (fault: ReplayFault) => void;
  #sequence = 0;
  /** The latest event was sealed and there is no key for it: an output, a log line, or the completion. */
  #isLastSealed = false;

  constructor(onFault: (fault: ReplayFault) => void) {
    this.#onFault = onFault;
  }

  /** Whether the latest event is one that could not be read, so that the task may have completed with it. */
  get mayHaveCompleted(): boolean {
    return this.#isLastSealed && this.task.state === TaskState.RUNNING;
  }

  /** Takes an event that cannot be read for lack of a key: nothing but `log`, `output` and `completed` is ever sealed. */
  applySealed(sequence: number): void {
    this.#begin(sequence);
    this.#mustRun("log, output or completed");
    this.#isLastSealed = true;
  }

  /** Takes an event. */
  apply(event: TaskEvent): void {
    this.#begin(event.sequence);
    const { kind } = event;
    if (kind === undefined) {
      this.#fault("event-differs", "kind", "one this version knows", "another");
      return;
    }
    const from = this.task.state;
    const to = moveOf(kind.$case);
    const isEnd = kind.$case === "cancelled" || kind.$case === "failed";
    if (isEnd && from === TaskState.PENDING && event.attempt === this.task.attempt + 1) this.#useUpNext();
    if (to !== null) this.#move(kind.$case, to);
    this.#fold(kind, event.time?.getTime() ?? 0, from);
    this.#mustBe(`attempt of ${kind.$case}`, this.task.attempt, event.attempt);
    this.#mustBe(`state of ${kind.$case}`, stateName(this.task.state), stateName(event.state));
  }

  #begin(sequence: number): void {
    this.#sequence = sequence;
    this.#isLastSealed = false;
  }

  #fold(kind: Kind, timeMs: number, from: TaskState | null): void {
    const { task } = this;
    switch (kind.$case) {
      case "created":
        this.#created(kind.value);
        break;
      case "started":
        this.#started(kind.value, timeMs);
        break;
      case "progress":
        this.#mustRun(kind.$case);
        task.progress = kind.value;
        break;
      case "log":
      case "output":
      case "cancelAcknowledged":
      case "cancelGraceExpired":
      case "softLimitReached":
        this.#mustRun(kind.$case);
        break;
      case "cancelDelivered":
        this.#mustRun(kind.$case);
        this.#mustBe("worker of cancelDelivered", task.workerId, kind.value.workerId);
        break;
      case "cancelRequested":
        this.#cancelRequested(kind.value, timeMs);
        break;
      case "staleAttemptRejected":
        this.#mustBeUnfinished(kind.$case);
        break;
      case "retryScheduled":
        this.#mustNotBeCancelled(kind.$case);
        task.error = errorOf(kind.value.error);
        task.runTimeMs = kind.value.runTime?.getTime() ?? null;
        this.#failAttempt(timeMs);
        break;
      case "released":
        this.#mustNotBeCancelled(kind.$case);
        task.error = releasedError(kind.value);
        task.runTimeMs = kind.value.runTime?.getTime() ?? null;
        this.#failAttempt(timeMs, { outcome: "RELEASED", errorCode: kind.value.code });
        break;
      case "reopened":
        this.#reopened(kind.value);
        break;
      case "completed":
        task.endTimeMs = timeMs;
        task.error = null;
        task.workerLosses = 0;
        task.result = kind.value.resultOmitted ? { kind: "omitted" } : { kind: "told", value: kind.value.result };
        task.warnings = kind.value.warnings.flatMap((warning) => errorOf(warning) ?? []);
        this.#endAttempt(timeMs, { outcome: "SUCCEEDED", errorCode: null });
        break;
      case "failed":
        task.endTimeMs = timeMs;
        task.error = errorOf(kind.value.error);
        if (from === TaskState.RUNNING) this.#failAttempt(timeMs);
        break;
      case "cancelled":
        this.#cancelled(kind.value, timeMs, from);
        break;
    }
  }

  #created(value: ValueOf<"created">): void {
    const { task } = this;
    if (task.state !== null || this.#sequence !== 1)
      this.#fault("illegal-event", "created", "the first event", `while ${stateName(task.state)}`);
    task.state = TaskState.PENDING;
    task.type = value.type;
    task.queue = value.queue;
    task.runTimeMs = value.runTime?.getTime() ?? null;
  }

  #started(value: ValueOf<"started">, timeMs: number): void {
    const { task } = this;
    if (task.maxAttempts !== null) this.#mustBe("max_attempts of started", task.maxAttempts, value.maxAttempts);
    const counted = task.attempt - task.uncountedAttempts;
    if (counted >= value.maxAttempts)
      this.#fault("illegal-event", "started", `at most ${value.maxAttempts} counted attempts`, `${counted + 1}`);
    task.attempt += 1;
    task.maxAttempts = value.maxAttempts;
    task.workerId = value.workerId;
    task.startTimeMs = timeMs;
    task.progress = null;
    const { attempt: number, workerId } = task;
    task.attempts.push({
      number,
      workerId,
      startTimeMs: timeMs,
      endTimeMs: null,
      outcome: "RUNNING",
      errorCode: null,
    });
  }

  #cancelRequested(value: ValueOf<"cancelRequested">, timeMs: number): void {
    const { task } = this;
    this.#mustBeUnfinished("cancelRequested");
    if (task.cancelRequestTimeMs !== null)
      this.#fault("illegal-event", "cancelRequested", "one in a round of attempts", "another one");
    task.cancelRequestTimeMs = timeMs;
    task.cancelReason = value.reason;
  }

  #reopened(value: ValueOf<"reopened">): void {
    const { task } = this;
    task.uncountedAttempts = task.attempt;
    task.workerLosses = 0;
    task.endTimeMs = null;
    task.cancelRequestTimeMs = null;
    task.cancelReason = "";
    task.runTimeMs = value.runTime?.getTime() ?? null;
  }

  /** The task ended while a worker that was not heard of might have its next attempt: that number is used up. */
  #useUpNext(): void {
    const { task } = this;
    task.attempt += 1;
    task.uncountedAttempts += 1;
    task.startTimeMs = null;
  }

  #cancelled(value: ValueOf<"cancelled">, timeMs: number, from: TaskState | null): void {
    const { task } = this;
    if (value.reason !== task.cancelReason)
      this.#fault("event-differs", "reason of cancelled", "that of the request", "another");
    task.endTimeMs = timeMs;
    task.cancelRequestTimeMs ??= timeMs;
    const message = value.reason === "" ? "the task was cancelled" : value.reason;
    task.error = { code: "CANCELLED", message, retryable: false, details: undefined };
    if (from !== TaskState.RUNNING) return;
    if (isWorkerLost(value)) this.#loseWorker();
    else this.#hearWorker();
    this.#endAttempt(timeMs, { outcome: "CANCELLED", errorCode: "CANCELLED" });
  }

  /** Ends the running attempt, by default with what the task's error tells of it. */
  #failAttempt(timeMs: number, end = failedAttempt(this.task.error)): void {
    const { task } = this;
    if (end.outcome === "RELEASED") task.uncountedAttempts += 1;
    if (end.outcome === "LOST") this.#loseWorker();
    else if (end.outcome === "FAILED") task.workerLosses = 0;
    else this.#hearWorker();
    this.#endAttempt(timeMs, end);
  }

  #loseWorker(): void {
    if (this.task.workerLosses !== null) this.task.workerLosses += 1;
  }

  /** The attempt ended by a worker's word; whether that ends a row of losses depends on the word, which the event does not tell. */
  #hearWorker(): void {
    if (this.task.workerLosses !== 0) this.task.workerLosses = null;
  }

  #endAttempt(endTimeMs: number, end: AttemptEnd): void {
    const attempt = this.task.attempts.at(-1);
    if (attempt?.endTimeMs === null) Object.assign(attempt, { endTimeMs, ...end });
  }

  #move(kind: Kind["$case"], to: TaskState): void {
    const { task } = this;
    const isLegal = task.state !== null && isLegalMove(task.state, to) && mayHappenIn(kind, task.state);
    if (!isLegal)
      this.#fault("illegal-move", kind, "a legal move", `from ${stateName(task.state)} to ${stateName(to)}`);
    task.state = to;
  }

  #mustRun(kind: string): void {
    const { state } = this.task;
    if (state !== TaskState.RUNNING)
      this.#fault("illegal-event", kind, "a running attempt", `while ${stateName(state)}`);
  }

  #mustBeUnfinished(kind: string): void {
    const { state } = this.task;
    if (state === null || isTerminal(state))
      this.#fault("illegal-event", kind, "an unfinished task", `while ${stateName(state)}`);
  }

  #mustNotBeCancelled(kind: string): void {
    if (this.task.cancelRequestTimeMs !== null)
      this.#fault("illegal-event", kind, "cancelled, as a cancel was asked for", "another attempt");
  }

  #mustBe(what: string, expected: string | number | null, found: string | number): void {
    if (expected !== found) this.#fault("event-differs", what, String(expected), String(found));
  }

  #fault(kind: ReplayFault["kind"], what: string, expected: string, found: string): void {
    this.#onFault({ kind, sequence: this.#sequence, what, expected, found });
  }
}
