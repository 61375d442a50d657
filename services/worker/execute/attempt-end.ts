import { detailsText, type FailureFacts } from "#libs/define-task/thrown-outcome.js";
import type { Report } from "#libs/proto/gen/taskwire/bus/v1/report.js";
import type { OutcomeCode } from "#libs/tasks/outcome-code.js";
import type { AttemptLimits } from "#worker/execute/attempt-limits.js";
import type { IsolateOutcome } from "#worker/isolate/isolate.js";
import type { DeathOutcome } from "#worker/isolate/isolate-session.js";

type Kind = NonNullable<Report["kind"]>;

/** What was done to an attempt from outside. */
export interface StopFacts {
  cancelled: boolean;
  abandoned: boolean;
  releasing: boolean;
  softReached: boolean;
  hardReached: boolean;
}

/** The end of an attempt: its last report, and the same for the log. */
export interface AttemptEnd {
  readonly report: Kind;
  readonly outcome: "succeeded" | "failed" | "cancelled" | "released" | "abandoned";
  /** Why it failed. */
  readonly error: FailureFacts | undefined;
}

const RETRY_LATER: OutcomeCode = "RETRY_LATER";
const BEFORE_START = 1;
const COOPERATIVE = 2;
const KILLED = 3;

/**
 * Weighs what the isolate says against what was done to the attempt. A result that came in time always counts. What a handler throws
 * after the soft limit is a `SOFT_TIMEOUT`, which counts, but its word on whether and when to try again is kept.
 */
export function attemptEnd(
  outcome: IsolateOutcome | { readonly kind: "cancelled-early" },
  stop: StopFacts,
  limits: AttemptLimits,
): AttemptEnd {
  if (stop.abandoned) return { ...workerStops(), outcome: "abandoned" };
  if (outcome.kind === "cancelled-early") return stop.cancelled ? cancelled(BEFORE_START) : workerStops();
  if (outcome.kind === "succeeded") {
    const { resultJson, warnings } = outcome;
    return {
      report: { $case: "succeeded", value: { resultJson, warnings: [...warnings] } },
      outcome: "succeeded",
      error: undefined,
    };
  }
  if (stop.cancelled) return cancelled(outcome.kind === "died" && outcome.cause === "killed" ? KILLED : COOPERATIVE);
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

function deathEnd(death: DeathOutcome, stop: StopFacts, limits: AttemptLimits): AttemptEnd {
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

function failed(error: FailureFacts, retryAfterMs?: number): AttemptEnd {
  const value = { error: { ...error }, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
  return { report: { $case: "failed", value }, outcome: "failed", error };
}

function cancelled(phase: number): AttemptEnd {
  return { report: { $case: "cancelled", value: { phase } }, outcome: "cancelled", error: undefined };
}

function workerStops(): AttemptEnd {
  return released("WORKER_SHUTDOWN", "the worker stops", 0);
}

function released(code: OutcomeCode, reason: string, retryAfterMs: number): AttemptEnd {
  const value = { code, reason, retryAfterMs };
  return { report: { $case: "released", value }, outcome: "released", error: undefined };
}
