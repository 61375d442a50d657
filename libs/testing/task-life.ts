import type { AttemptVerdict } from "#libs/attempts/attempt-verdict.js";
import { verdictClaim } from "#libs/attempts/verdict-claim.js";
import type { TaskDefinition } from "#libs/define-task/define-task.js";
import type { AttemptErrorFact, ClaimKind } from "#libs/tasks/claim.js";
import { applyClaim, requestCancel } from "#libs/tasks/decide.js";
import type { EventFact } from "#libs/tasks/event-fact.js";
import type { Moment } from "#libs/tasks/moment.js";
import type { TaskFacts } from "#libs/tasks/task-facts.js";
import { TaskState } from "#libs/tasks/task-state.js";
import { jsonObject } from "#libs/testing/json-object.js";

/** Where a task stands. */
export type StateName = "PENDING" | "RUNNING" | "COMPLETED" | "FAILED" | "CANCELLED";

/** Why an attempt or a task failed, or a warning. */
export interface Failure {
  readonly code: string;
  readonly message: string;
  readonly retryable: boolean;
  /** Undefined: none. */
  readonly details: Readonly<Record<string, unknown>> | undefined;
}

const NAMES: ReadonlyMap<number, StateName> = new Map(
  (["PENDING", "RUNNING", "COMPLETED", "FAILED", "CANCELLED"] as const).map((name) => [TaskState[name], name]),
);
const WORKER = "the test";

/** A task whose states and retries are decided by the very code that decides them in the task-service. */
export class TaskLife {
  readonly #facts: TaskFacts;
  readonly #moment: Moment;
  readonly #events: EventFact[] = [];

  /** `attempt`: how many attempts there were before. */
  constructor(taskId: string, attempt: number, moment: Moment) {
    this.#moment = moment;
    this.#facts = {
      id: taskId,
      state: TaskState.PENDING,
      attempt,
      uncountedAttempts: 0,
      maxAttempts: 0,
      initialDelayMs: null,
      maximumDelayMs: null,
      multiplier: 0,
      totalTimeoutMs: null,
      deadlineMs: null,
      retryCodes: null,
      workerLosses: 0,
      reportNumber: 0,
      workerId: null,
      runTimeMs: moment.nowMs,
      startTimeMs: null,
      endTimeMs: null,
      cancelRequestTimeMs: null,
      cancelReason: "",
      progress: null,
      resultJson: null,
      error: null,
      warnings: [],
      endedAttempt: null,
    };
  }

  get state(): StateName {
    return NAMES.get(this.#facts.state) ?? "PENDING";
  }

  get isOver(): boolean {
    return this.#facts.endTimeMs !== null;
  }

  /** Number of the latest attempt. */
  get attempt(): number {
    return this.#facts.attempt;
  }

  get maxAttempts(): number {
    return this.#facts.maxAttempts;
  }

  /** When the next attempt is due, milliseconds since 1970. */
  get runTimeMs(): number {
    return this.#facts.runTimeMs;
  }

  get error(): Failure | undefined {
    return this.#facts.error === null ? undefined : failureOf(this.#facts.error);
  }

  get warnings(): readonly Failure[] {
    return this.#facts.warnings.map(failureOf);
  }

  /** As JSON text; undefined: it has none. */
  get resultJson(): string | undefined {
    return this.#facts.resultJson ?? undefined;
  }

  /** The next attempt begins, with the settings of its type. */
  start(options: TaskDefinition["options"]): void {
    const { maxAttempts = 0, multiplier = 0, initialDelayMs, maximumDelayMs, totalTimeoutMs } = options;
    const { retryableCodes = [], permanentCodes = [] } = options;
    const policy = { maxAttempts, multiplier, initialDelayMs, maximumDelayMs, totalTimeoutMs };
    this.#claim(this.#facts.attempt + 1, { $case: "started", value: { ...policy, retryableCodes, permanentCodes } });
  }

  /** The running attempt has ended. */
  end(verdict: AttemptVerdict): void {
    this.#claim(this.#facts.attempt, verdictClaim(verdict));
  }

  /** Somebody asks for a cancel; a task that waits is cancelled at once. */
  requestCancel(reason: string): void {
    requestCancel(this.#facts, reason, false, this.#moment, this.#events);
  }

  #claim(attempt: number, kind: ClaimKind): void {
    const number = attempt === this.#facts.attempt ? this.#facts.reportNumber + 1 : 1;
    applyClaim(this.#facts, WORKER, { taskId: this.#facts.id, attempt, number, kind }, this.#moment, this.#events);
  }
}

/** A failure with its details as an object. */
export function failureOf({ code, message, retryable, detailsJson }: AttemptErrorFact): Failure {
  return { code, message, retryable, details: detailsJson === "" ? undefined : jsonObject(detailsJson) };
}
