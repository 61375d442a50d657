import type { AttemptLimits } from "#libs/attempts/attempt-limits.js";
import { weighAttempt, type AttemptVerdict, type StopFacts } from "#libs/attempts/attempt-verdict.js";
import { HandlerRun } from "#libs/attempts/handler-run.js";
import type { SpeechSink } from "#libs/attempts/handler-speech.js";
import type { IsolateOutcome } from "#libs/attempts/isolate-outcome.js";
import type { RunOrder } from "#libs/attempts/run-order.js";
import type { TaskDefinition } from "#libs/define-task/define-task.js";
import type { AbortCause } from "#libs/define-task/task-errors.js";
import type { TestClock } from "#libs/testing/test-clock.js";

/** What an attempt needs around it. */
export interface TestSurroundings {
  readonly clock: TestClock;
  readonly limits: AttemptLimits;
  /** Time from the signal of a cancel or a shutdown to the kill, milliseconds. */
  readonly graceMs: number;
  readonly sink: SpeechSink;
  /** Called once; `thrown` is what the handler threw, if it did. */
  readonly onEnd: (verdict: AttemptVerdict, thrown: unknown) => void;
}

const KILLED: IsolateOutcome = {
  kind: "died",
  cause: "killed",
  exitCode: undefined,
  signal: "SIGKILL",
  stderrTail: "",
};

/**
 * One attempt as a worker runs it, on a clock of its own and without an isolate: a handler that is killed is only no longer listened to,
 * and its code goes on until it heeds its signal.
 */
export class TestAttempt {
  readonly #around: TestSurroundings;
  readonly #handler: HandlerRun;
  readonly #stop: StopFacts = {
    cancelled: false,
    abandoned: false,
    releasing: false,
    softReached: false,
    hardReached: false,
  };
  readonly #alarms: (() => void)[] = [];
  #thrown: unknown;
  #ended = false;

  constructor(task: TaskDefinition, order: RunOrder, around: TestSurroundings) {
    this.#around = around;
    const spy: TaskDefinition = {
      ...task,
      handler: async (context) => {
        try {
          return await task.handler(context);
        } catch (error) {
          this.#thrown = error;
          throw error;
        }
      },
    };
    this.#handler = new HandlerRun(spy, order, {
      onProgress: (claim) => {
        if (!this.#ended) around.sink.onProgress(claim);
      },
      onLog: (claim) => {
        if (!this.#ended) around.sink.onLog(claim);
      },
      onOutput: (claim) => {
        if (!this.#ended) around.sink.onOutput(claim);
      },
    });
  }

  /** Calls the handler, unless the attempt has ended before. */
  start(): void {
    if (this.#ended) return;
    const { clock, limits } = this.#around;
    this.#alarms.push(
      clock.at(clock.nowMs + limits.softTimeoutMs, () => {
        this.#stop.softReached = true;
        this.#abort("soft-timeout", `the soft limit of ${limits.softTimeoutMs} ms was reached`);
      }),
      clock.at(clock.nowMs + limits.hardTimeoutMs, () => {
        this.#stop.hardReached = true;
        this.#end(KILLED);
      }),
    );
    void this.#handler.outcome().then((outcome) => {
      this.#end(outcome);
    });
  }

  /** Fires the signal and kills after the grace period. */
  cancel(reason: string): void {
    this.#stop.cancelled = true;
    this.#abort("cancelled", reason === "" ? "the task was cancelled" : reason);
    this.#killAfterGrace();
  }

  /** The worker stops: fires the signal, kills after the grace period. */
  release(): void {
    this.#stop.releasing = true;
    this.#abort("shutdown", "the worker stops");
    this.#killAfterGrace();
  }

  /** Ends it as when the handler's process crashes. */
  crash(exitCode: number): void {
    this.#end({ kind: "died", cause: "crashed", exitCode, signal: undefined, stderrTail: "" });
  }

  #abort(cause: AbortCause, message: string): void {
    if (!this.#ended) this.#handler.abort(cause, message);
  }

  #killAfterGrace(): void {
    const { clock, graceMs } = this.#around;
    this.#alarms.push(
      clock.at(clock.nowMs + graceMs, () => {
        this.#end(KILLED);
      }),
    );
  }

  #end(outcome: IsolateOutcome): void {
    if (this.#ended) return;
    this.#ended = true;
    for (const takeBack of this.#alarms) takeBack();
    this.#around.onEnd(weighAttempt(outcome, this.#stop, this.#around.limits), this.#thrown);
  }
}
