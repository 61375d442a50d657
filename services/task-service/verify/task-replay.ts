import type { TaskEvent } from "#libs/proto/gen/taskwire/v1/task_event.js";
import { isLegalMove, isTerminal, TaskState } from "#libs/tasks/task-state.js";
import {
  blankTask,
  type ReplayedAttempt,
  type ReplayedTask,
  type ReplayFault,
} from "#task-service/verify/replayed-task.js";
import {
  errorOf,
  isCooperative,
  isWorkerLost,
  mayHappenIn,
  moveOf,
  outcomeOf,
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
      this.#fault("event-kind", "a known kind", "none");
      return;
    }
    const timeMs = event.time?.getTime() ?? 0;
    const from = this.task.state;
    const to = moveOf(kind.$case);
    if (to !== null) this.#move(kind.$case, to);
    this.#fold(kind, timeMs, from);
    if (event.attempt !== this.task.attempt) {
      this.#fault("event-attempt", String(this.task.attempt), `${event.attempt} in ${kind.$case}`);
    }
    const state = this.task.state ?? 0;
    if (Number(event.state) !== state) this.#fault("event-state", stateName(state), stateName(event.state));
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
        if (kind.value.workerId !== task.workerId)
          this.#fault("event-worker", String(task.workerId), kind.value.workerId);
        break;
      case "cancelRequested":
        this.#cancelRequested(kind.value, timeMs);
        break;
      case "staleAttemptRejected":
        if (from === null || isTerminal(from))
          this.#fault("illegal-event", "an unfinished task", `${kind.$case} while ${stateName(from)}`);
        break;
      case "retryScheduled":
        this.#mustNotBeCancelled(kind.$case);
        task.error = errorOf(kind.value.error);
        task.runTimeMs = kind.value.runTime?.getTime() ?? 0;
        this.#endAttempt(timeMs, outcomeOf(task.error), task.error?.code ?? null);
        break;
      case "released":
        this.#mustNotBeCancelled(kind.$case);
        // Events of versions before 0.2 tell neither code nor run time.
        if (kind.value.code !== "") task.error = releasedError(kind.value);
        task.runTimeMs = kind.value.runTime?.getTime() ?? null;
        task.uncounted = { least: task.uncounted.least + 1, most: task.uncounted.most + 1 };
        this.#endAttempt(timeMs, "RELEASED", kind.value.code || null);
        break;
      case "reopened":
        this.#reopened(kind.value);
        break;
      case "completed":
        task.endTimeMs = timeMs;
        task.error = null;
        task.result = kind.value.resultOmitted ? { kind: "omitted" } : { kind: "told", value: kind.value.result };
        task.warnings = kind.value.warnings.flatMap((warning) => errorOf(warning) ?? []);
        this.#endAttempt(timeMs, "SUCCEEDED", null);
        break;
      case "failed":
        task.endTimeMs = timeMs;
        task.error = errorOf(kind.value.error);
        if (from === TaskState.RUNNING) this.#failedAttempt(timeMs);
        break;
      case "cancelled":
        this.#cancelled(kind.value, timeMs, from);
        break;
    }
  }

  #created(value: ValueOf<"created">): void {
    const { task } = this;
    if (task.state !== null) this.#fault("illegal-event", "created once", `created while ${stateName(task.state)}`);
    else if (this.#sequence !== 1) this.#fault("illegal-event", "created as event 1", `as event ${this.#sequence}`);
    task.state = TaskState.PENDING;
    task.type = value.type;
    task.queue = value.queue;
    task.runTimeMs = value.runTime?.getTime() ?? 0;
  }

  #started(value: ValueOf<"started">, timeMs: number): void {
    const { task } = this;
    if (task.maxAttempts !== null && task.maxAttempts !== value.maxAttempts)
      this.#fault("event-max-attempts", String(task.maxAttempts), String(value.maxAttempts));
    const counted = task.attempt - task.uncounted.most;
    if (counted >= value.maxAttempts)
      this.#fault("too-many-attempts", `at most ${value.maxAttempts} that count`, `attempt ${task.attempt + 1} starts`);
    task.attempt += 1;
    task.maxAttempts = value.maxAttempts;
    task.workerId = value.workerId;
    task.startTimeMs = timeMs;
    task.progress = null;
    const { attempt: number, workerId } = task;
    const ended = { endTimeMs: null, outcome: "RUNNING", errorCode: null } as const;
    task.attempts.push({ number, workerId, startTimeMs: timeMs, ...ended });
  }

  #cancelRequested(value: ValueOf<"cancelRequested">, timeMs: number): void {
    const { task } = this;
    if (task.state === null || isTerminal(task.state))
      this.#fault("illegal-event", "an unfinished task", `cancelRequested while ${stateName(task.state)}`);
    if (task.cancelRequestTimeMs !== null) this.#fault("illegal-event", "one cancelRequested", "another one");
    task.cancelRequestTimeMs = timeMs;
    task.cancelReason = value.reason;
  }

  #reopened(value: ValueOf<"reopened">): void {
    const { task } = this;
    task.uncounted = { least: task.attempt, most: task.attempt };
    task.endTimeMs = null;
    task.cancelRequestTimeMs = null;
    task.cancelReason = "";
    task.runTimeMs = value.runTime?.getTime() ?? 0;
  }

  #cancelled(value: ValueOf<"cancelled">, timeMs: number, from: TaskState | null): void {
    const { task } = this;
    if (value.reason !== task.cancelReason)
      this.#fault("event-cancel-reason", JSON.stringify(task.cancelReason), JSON.stringify(value.reason));
    task.endTimeMs = timeMs;
    task.cancelRequestTimeMs ??= timeMs;
    const message = value.reason === "" ? "the task was cancelled" : value.reason;
    task.error = { code: "CANCELLED", message, retryable: false, details: undefined };
    if (from !== TaskState.RUNNING) return;
    if (isCooperative(value)) task.uncounted = { ...task.uncounted, most: task.uncounted.most + 1 };
    // The attempt itself may have ended with any error; the event tells only the end of the task.
    this.#endAttempt(timeMs, isWorkerLost(value) ? "LOST" : "CANCELLED", null);
  }

  #failedAttempt(timeMs: number): void {
    const { error } = this.task;
    this.#endAttempt(timeMs, outcomeOf(error), error?.code ?? null);
  }

  #endAttempt(endTimeMs: number, outcome: ReplayedAttempt["outcome"], errorCode: string | null): void {
    const attempt = this.task.attempts.at(-1);
    if (attempt?.endTimeMs !== null) return;
    attempt.endTimeMs = endTimeMs;
    attempt.outcome = outcome;
    attempt.errorCode = errorCode;
  }

  #move(kind: Kind["$case"], to: TaskState): void {
    const { task } = this;
    const isLegal = task.state !== null && isLegalMove(task.state, to) && mayHappenIn(kind, task.state);
    if (!isLegal)
      this.#fault("illegal-move", "a legal move", `${stateName(task.state)} to ${stateName(to)} by ${kind}`);
    task.state = to;
  }

  #mustRun(what: string): void {
    if (this.task.state !== TaskState.RUNNING)
      this.#fault("illegal-event", "a running attempt", `${what} while ${stateName(this.task.state)}`);
  }

  #mustNotBeCancelled(what: string): void {
    if (this.task.cancelRequestTimeMs !== null)
      this.#fault("illegal-event", "the end, as a cancel was asked for", `another attempt (${what})`);
  }

  #fault(what: string, expected: string, found: string): void {
    this.#onFault({ sequence: this.#sequence, what, expected, found });
  }
}
