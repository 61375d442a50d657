import type { AttemptLimits } from "#libs/attempts/attempt-limits.js";
import type { DeathOutcome, IsolateOutcome } from "#libs/attempts/isolate-outcome.js";
import { detailsText, type FailureFacts } from "#libs/define-task/thrown-outcome.js";
import { CancelPhase } from "#libs/tasks/event-fact.js";
import type { OutcomeCode } from "#libs/tasks/outcome-code.js";

/** What was done to an attempt from outside. */
export interface StopFacts {
  cancelled: boolean;
  abandoned: boolean;
  releasing: boolean;
  softReached: boolean;
  hardReached: boolean;
}

/** What became of an attempt. */
export type AttemptVerdict =
  | { readonly outcome: "succeeded"; readonly resultJson: string; readonly warnings: readonly FailureFacts[] }
  | { readonly outcome: "failed"; readonly error: FailureFacts; readonly retryAfterMs: number | undefined }
  | { readonly outcome: "cancelled"; readonly phase: CancelPhase }
  | ReleasedVerdict;

/** Handed back: it does not count. Abandoned: the same, and nobody is told. */
interface ReleasedVerdict {
  readonly outcome: "released" | "abandoned";
  readonly code: OutcomeCode;
  readonly reason: string;
  readonly retryAfterMs: number;
}

const RETRY_LATER: OutcomeCode = "RETRY_LATER";

/**
 * Weighs what the isolate says against what was done to the attempt. A result that came in time always counts. What a handler throws
 * after the soft limit is a `SOFT_TIMEOUT`, which counts, but its word on whether and when to try again is kept.
 */
export function weighAttempt(
  outcome: IsolateOutcome | { readonly kind: "cancelled-early" },
  stop: StopFacts,
  limits: AttemptLimits,
): AttemptVerdict {
  if (stop.abandoned) return { ...workerStops(), outcome: "abandoned" };
  if (outcome.kind === "cancelled-early") return stop.cancelled ? cancelled(CancelPhase.BEFORE_START) : workerStops();
  if (outcome.kind === "succeeded") {
    const { resultJson, warnings } = outcome;
    return { outcome: "succeeded", resultJson, warnings };
  }
  if (stop.cancelled)
    return cancelled(
      outcome.kind === "died" && outcome.cause === "killed" ? CancelPhase.KILLED : CancelPhase.COOPERATIVE,
    );
  switch (outcome.kind) {
    case "died":
      return deathEnd(outcome, stop, limits);
    case "refused": {
      const { code, message, detailsJson } = outcome;
      return failed({ code, message, retryable: code === "UNKNOWN_TYPE", detailsJson });
    }
    case "retry-later":
      if (stop.softReached) return failed(softTimeout(limits, RETRY_LATER, outcome.reason, true), outcome.delayMs);
      if (stop.releasing) return workerStops();
      return released(RETRY_LATER, outcome.reason, outcome.delayMs);
    case "failed": {
      const { error, retryAfterMs } = outcome;
      if (stop.softReached)
        return failed(softTimeout(limits, error.code, error.message, error.retryable), retryAfterMs);
      if (stop.releasing && error.retryable) return workerStops();
      return failed(error, retryAfterMs);
    }
  }
}

function deathEnd(death: DeathOutcome, stop: StopFacts, limits: AttemptLimits): AttemptVerdict {
  const { cause, exitCode, signal, stderrTail } = death;
  if (cause === "killed" && stop.hardReached) {
    const message = `the hard limit of ${limits.hardTimeoutMs} ms was reached`;
    return failed({ code: "HARD_TIMEOUT", message, retryable: true, detailsJson: "" });
  }
  if (cause === "killed") return workerStops();
  const detailsJson = detailsText({
    ...(exitCode === undefined ? {} : { exitCode }),
    ...(signal === undefined ? {} : { signal }),
    ...(stderrTail === "" ? {} : { stderr: stderrTail }),
  });
  if (cause === "out-of-memory") {
    const message = `the isolate used more memory than its cap of ${limits.memoryBytes} bytes`;
    return failed({ code: "OUT_OF_MEMORY", message, retryable: true, detailsJson });
  }
  const how = signal === undefined ? `with exit code ${exitCode ?? "unknown"}` : `by ${signal}`;
  return failed({ code: "CRASHED", message: `the isolate ended ${how}`, retryable: true, detailsJson });
}

function softTimeout(
  limits: AttemptLimits,
  handlerCode: string,
  handlerError: string,
  retryable: boolean,
): FailureFacts {
  return {
    code: "SOFT_TIMEOUT",
    message: `the soft limit of ${limits.softTimeoutMs} ms was reached`,
    retryable,
    detailsJson: detailsText({ handlerCode, handlerError }),
  };
}

function failed(error: FailureFacts, retryAfterMs?: number): AttemptVerdict {
  return { outcome: "failed", error, retryAfterMs };
}

function cancelled(phase: CancelPhase): AttemptVerdict {
  return { outcome: "cancelled", phase };
}

function workerStops(): ReleasedVerdict {
  return released("WORKER_SHUTDOWN", "the worker stops", 0);
}

function released(code: OutcomeCode, reason: string, retryAfterMs: number): ReleasedVerdict {
  return { outcome: "released", code, reason, retryAfterMs };
}
