import type { AbortCause } from "#libs/define-task/task-errors.js";
import type { FailureFacts } from "#libs/define-task/thrown-outcome.js";
import type { Isolation } from "#libs/define-task/define-task.js";

/** How far a handler says it is, within bounds. */
export interface ProgressClaim {
  readonly fraction?: number | undefined;
  readonly current?: number | undefined;
  readonly total?: number | undefined;
  readonly message: string;
}

/** One line a handler logged, within bounds. */
export interface LogClaim {
  /** 1 debug, 2 info, 3 warn, 4 error. */
  readonly level: number;
  readonly message: string;
  readonly fieldsJson: string;
  /** The last line that is kept. */
  readonly capped: boolean;
}

/** One piece of output, within bounds. */
export interface OutputClaim {
  readonly name: string;
  readonly text: string;
  /** Bytes of this stream before this piece. */
  readonly offset: number;
  /** The last piece that is kept. */
  readonly capped: boolean;
}

/** How one attempt ended inside its isolate. */
export type IsolateOutcome =
  | { readonly kind: "succeeded"; readonly resultJson: string; readonly warnings: readonly FailureFacts[] }
  | { readonly kind: "failed"; readonly error: FailureFacts; readonly retryAfterMs?: number | undefined }
  | { readonly kind: "retry-later"; readonly delayMs: number; readonly reason: string }
  /** Payload, result or type were refused on either side of the handler. */
  | {
      readonly kind: "refused";
      readonly code: "PAYLOAD_REJECTED" | "RESULT_REJECTED" | "UNKNOWN_TYPE";
      readonly message: string;
      readonly detailsJson: string;
    }
  /** The isolate is gone. */
  | {
      readonly kind: "died";
      readonly cause: "killed" | "crashed" | "out-of-memory";
      readonly exitCode: number | undefined;
      readonly signal: string | undefined;
      /** The end of what it wrote to stderr. */
      readonly stderrTail: string;
    };

/** Bounds of what one attempt may say. */
export interface SpeechLimits {
  /** Shortest time between two progress reports, milliseconds. */
  readonly progressIntervalMs: number;
  /** Log lines and their bytes kept of one attempt. */
  readonly logLines: number;
  readonly logBytes: number;
  /** Output bytes kept of one attempt. */
  readonly outputBytes: number;
}

/** One attempt for an isolate to run. */
export interface RunOrder {
  readonly type: string;
  readonly taskId: string;
  readonly attempt: number;
  readonly maxAttempts: number;
  readonly payloadJson: string;
  /** The hard limit, milliseconds since 1970. */
  readonly deadlineMs: number;
  readonly speech: SpeechLimits;
}

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
