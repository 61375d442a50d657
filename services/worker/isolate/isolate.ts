import type { IsolateOutcome } from "#libs/attempts/isolate-outcome.js";
import type { RunOrder } from "#libs/attempts/run-order.js";
import type { LogClaim, OutputClaim, ProgressClaim } from "#libs/attempts/speech-claims.js";
import type { Isolation } from "#libs/define-task/define-task.js";
import type { AbortCause } from "#libs/define-task/task-errors.js";

/** Hears what an attempt says. */
export interface RunListener {
  onProgress(claim: ProgressClaim): void;
  onLog(claim: LogClaim): void;
  onOutput(claim: OutputClaim): void;
  /** The handler's code was told to stop for this cause, and its signal has fired, now or before. At most once per abort. */
  onAborted(cause: AbortCause): void;
  /** Called exactly once, last, and never before `begin` has returned. */
  onEnd(outcome: IsolateOutcome): void;
}

/** An attempt under way. */
export interface IsolateRun {
  /**
   * Whether the handler has ended. The end may not have been told yet: the isolate of a handler that was aborted, or has thrown and left
   * something running, is killed first.
   */
  readonly ended: boolean;
  /** Fires the handler's signal; the first reason stays. `onAborted` follows when the isolate says so, which a spinning one never does. */
  abort(cause: AbortCause, message: string): void;
  /** Ends the attempt whatever it does; `onEnd` follows with `died`. Inline code is only no longer waited for. */
  kill(): void;
}

/** A place that handler code runs in. */
export interface Isolate {
  readonly isolation: Isolation;
  /** Whether it can take another attempt at this moment. */
  readonly usable: boolean;
  /** Runs an attempt. Process and thread isolates run one at a time; a second one throws. */
  begin(order: RunOrder, listener: RunListener): IsolateRun;
  /** Ends the isolate; what still runs in it dies. Resolves when nothing is left. */
  close(): Promise<void>;
}
