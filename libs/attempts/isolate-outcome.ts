import type { FailureFacts } from "#libs/define-task/thrown-outcome.js";

/** How the handler of one attempt ended. */
export type HandlerOutcome =
  | { readonly kind: "succeeded"; readonly resultJson: string; readonly warnings: readonly FailureFacts[] }
  | { readonly kind: "failed"; readonly error: FailureFacts; readonly retryAfterMs?: number | undefined }
  | { readonly kind: "retry-later"; readonly delayMs: number; readonly reason: string }
  /** Payload, result or type were refused on either side of the handler. */
  | {
      readonly kind: "refused";
      readonly code: "PAYLOAD_REJECTED" | "RESULT_REJECTED" | "UNKNOWN_TYPE";
      readonly message: string;
      readonly detailsJson: string;
    };

/** The isolate is gone. */
export interface DeathOutcome {
  readonly kind: "died";
  readonly cause: "killed" | "crashed" | "out-of-memory";
  readonly exitCode: number | undefined;
  readonly signal: string | undefined;
  /** The end of what it wrote to stderr. */
  readonly stderrTail: string;
}

/** How one attempt ended inside its isolate. */
export type IsolateOutcome = HandlerOutcome | DeathOutcome;
