import type { AbortCause } from "#libs/define-task/task-errors.js";
import type { FailureFacts } from "#libs/define-task/thrown-outcome.js";
import { cutText, errorMessage } from "#libs/errors/error-message.js";
import type { DispatchTask } from "#libs/proto/gen/taskwire/bus/v1/dispatch.js";
import { MAX_MESSAGE_CHARACTERS } from "#libs/tasks/limits.js";
import type { StopFacts } from "#libs/attempts/attempt-verdict.js";
import { attemptEnd, type AttemptEnd } from "#worker/execute/attempt-end.js";
import type { AttemptLimits } from "#libs/attempts/attempt-limits.js";
import type { AttemptReports } from "#worker/execute/attempt-reports.js";
import type { DeadlineWatch, Timed } from "#worker/execute/deadline-watch.js";
import type { IsolateOutcome } from "#libs/attempts/isolate-outcome.js";
import type { LogClaim, OutputClaim, ProgressClaim, SpeechLimits } from "#libs/attempts/speech-claims.js";
import type { Isolate, IsolateRun, RunListener } from "#worker/isolate/isolate.js";

/** What an attempt needs around it. */
export interface AttemptSurroundings {
  readonly deadlines: DeadlineWatch;
  readonly speech: SpeechLimits;
  /** Time from the signal of a cancel or a shutdown to the kill, milliseconds. */
  readonly graceMs: number;
  /** Lends an isolate: at once, or when one is ready. */
  readonly acquire: (memoryBytes: number) => Isolate | Promise<Isolate>;
  readonly giveBack: (isolate: Isolate) => void;
  readonly onEnded: (attempt: RunningAttempt, end: AttemptEnd) => void;
}

/** Longest wait for an isolate, modules loading included. */
const ISOLATE_START_MS = 60_000;

/**
 * One attempt from its start to its one outcome. It alone decides the outcome: from what the isolate says, and from what was done to
 * the attempt (limits, cancel, shutdown), which the handler cannot forge.
 */
export class RunningAttempt implements Timed, RunListener {
  readonly startedAtMs = performance.now();
  /** Next point in time at which something is done about the attempt. */
  deadlineMs = Infinity;
  readonly #limits: AttemptLimits;
  readonly #around: AttemptSurroundings;
  readonly #stop: StopFacts = {
    cancelled: false,
    abandoned: false,
    releasing: false,
    softReached: false,
    hardReached: false,
  };
  #run: IsolateRun | undefined;
  #isolate: Isolate | undefined;
  #softAtMs = Infinity;
  #hardAtMs = Infinity;
  #killAtMs = Infinity;
  #cancelGraceEndsMs = Infinity;
  #ended = false;

  constructor(
    readonly dispatch: DispatchTask,
    readonly reports: AttemptReports,
    limits: AttemptLimits,
    around: AttemptSurroundings,
  ) {
    this.#limits = limits;
    this.#around = around;
  }

  /** Whether it was given up: it keeps its slot until it stops, but nothing is said about it any more. */
  get isAbandoned(): boolean {
    return this.#stop.abandoned;
  }

  /** Its hard limit, milliseconds. */
  get hardTimeoutMs(): number {
    return this.#limits.hardTimeoutMs;
  }

  /** Begins as soon as an isolate can be had. */
  start(maxAttempts: number): void {
    if (this.#ended) return;
    const isolate = this.#around.acquire(this.#limits.memoryBytes);
    if (!(isolate instanceof Promise)) {
      this.#begin(isolate, maxAttempts);
      return;
    }
    this.#killAtMs = performance.now() + ISOLATE_START_MS;
    this.#rearm();
    isolate.then(
      (lent) => {
        this.#killAtMs = Infinity;
        if (this.#ended) this.#around.giveBack(lent);
        else this.#begin(lent, maxAttempts);
      },
      (error: unknown) => {
        this.#end({ kind: "failed", error: isolateMissing(errorMessage(error)) });
      },
    );
  }

  /** Ends the attempt before any handler code runs. */
  refuse(code: "UNKNOWN_TYPE", message: string): void {
    this.#end({ kind: "refused", code, message, detailsJson: "" });
  }

  /** Fires the signal and kills after the grace period; says so at each step. Repeating it changes nothing. */
  cancel(reason: string): void {
    if (this.#isOver || this.#stop.cancelled || this.#stop.abandoned) return;
    this.#stop.cancelled = true;
    if (this.#run === undefined) {
      this.#end({ kind: "cancelled-early" });
      return;
    }
    this.reports.say({ $case: "cancelDelivered", value: {} });
    this.#run.abort("cancelled", reason === "" ? "the task was cancelled" : reason);
    this.#cancelGraceEndsMs = this.#killAfterGrace();
  }

  /** Somebody else holds the attempt now: stops it without another word about it. */
  abandon(): void {
    if (this.#ended || this.#stop.abandoned) return;
    this.#stop.abandoned = true;
    this.reports.silence();
    if (this.#run === undefined) {
      this.#end({ kind: "cancelled-early" });
      return;
    }
    this.#run.abort("abandoned", "the attempt is no longer this worker's");
    this.#killAfterGrace();
  }

  /** The worker stops: fires the signal, kills after the grace period, and gives the attempt back unless it ends by itself. */
  release(): void {
    if (this.#isOver || this.#stop.releasing) return;
    this.#stop.releasing = true;
    if (this.#run === undefined) {
      this.#end({ kind: "cancelled-early" });
      return;
    }
    this.#run.abort("shutdown", "the worker stops");
    this.#killAfterGrace();
  }

  /** The worker stops in a hurry: kills now and gives the attempt back. */
  releaseNow(): void {
    this.release();
    this.#killAtMs = 0;
    this.onDeadline();
  }

  onDeadline(): void {
    const now = performance.now();
    if (this.#run === undefined) {
      if (now >= this.#killAtMs) this.#end({ kind: "failed", error: isolateMissing("no isolate was ready in time") });
      return;
    }
    if (this.#run.ended || now >= this.#hardAtMs || now >= this.#killAtMs) {
      if (!this.#run.ended) this.#kill(this.#run, now);
      this.#softAtMs = this.#hardAtMs = this.#killAtMs = Infinity;
      this.#rearm();
      return;
    }
    if (now >= this.#softAtMs) {
      this.#softAtMs = Infinity;
      this.#stop.softReached = true;
      this.#run.abort("soft-timeout", `the soft limit of ${this.#limits.softTimeoutMs} ms was reached`);
      this.reports.say({ $case: "softLimitReached", value: {} });
    }
    this.#rearm();
  }

  onProgress(claim: ProgressClaim): void {
    if (!this.#ended) this.reports.progress(claim);
  }

  onLog(claim: LogClaim): void {
    if (!this.#ended) this.reports.log(claim);
  }

  onOutput(claim: OutputClaim): void {
    if (!this.#ended) this.reports.output(claim);
  }

  onAborted(cause: AbortCause): void {
    if (!this.#ended && cause === "cancelled") this.reports.say({ $case: "cancelAcknowledged", value: {} });
  }

  onEnd(outcome: IsolateOutcome): void {
    this.#end(outcome);
  }

  /** Whether the handler has ended, though its isolate may still be on its way out. */
  get #isOver(): boolean {
    return this.#ended || this.#run?.ended === true;
  }

  #kill(run: IsolateRun, now: number): void {
    if (now >= this.#hardAtMs && now < this.#killAtMs) this.#stop.hardReached = true;
    if (now >= this.#cancelGraceEndsMs)
      this.reports.say({ $case: "cancelGraceExpired", value: { graceMs: this.#around.graceMs } });
    run.kill();
  }

  #begin(isolate: Isolate, maxAttempts: number): void {
    this.#isolate = isolate;
    const { hardTimeoutMs, softTimeoutMs } = this.#limits;
    const now = performance.now();
    this.#softAtMs = now + softTimeoutMs;
    this.#hardAtMs = now + hardTimeoutMs;
    const { taskId, type, attempt, payloadJson } = this.dispatch;
    try {
      this.#run = isolate.begin(
        {
          type,
          taskId,
          attempt,
          maxAttempts,
          payloadJson,
          deadlineMs: Date.now() + hardTimeoutMs,
          speech: this.#around.speech,
        },
        this,
      );
    } catch (error) {
      this.#end({ kind: "failed", error: isolateMissing(errorMessage(error)) });
      return;
    }
    this.#rearm();
  }

  /** Returns when the grace period is over. */
  #killAfterGrace(): number {
    const graceEndsMs = performance.now() + this.#around.graceMs;
    this.#killAtMs = Math.min(this.#killAtMs, graceEndsMs);
    this.#rearm();
    return graceEndsMs;
  }

  #rearm(): void {
    this.deadlineMs = Math.min(this.#softAtMs, this.#hardAtMs, this.#killAtMs);
    if (!this.#ended) this.#around.deadlines.watch(this);
  }

  #end(outcome: IsolateOutcome | { readonly kind: "cancelled-early" }): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#around.deadlines.forget(this);
    const end = attemptEnd(outcome, this.#stop, this.#limits);
    this.reports.say(end.report);
    if (this.#isolate !== undefined) this.#around.giveBack(this.#isolate);
    this.#around.onEnded(this, end);
  }
}

function isolateMissing(why: string): FailureFacts {
  return {
    code: "CRASHED",
    message: cutText(`no isolate could be started: ${why}`, MAX_MESSAGE_CHARACTERS),
    retryable: true,
    detailsJson: "",
  };
}
