import type { AttemptLimits } from "#libs/attempts/attempt-limits.js";
import { weighAttempt, type AttemptVerdict, type StopFacts } from "#libs/attempts/attempt-verdict.js";
import { verdictClaim } from "#libs/attempts/verdict-claim.js";
import type { IsolateOutcome } from "#libs/attempts/isolate-outcome.js";
import type { FailureFacts } from "#libs/define-task/thrown-outcome.js";
import type { Report } from "#libs/proto/gen/taskwire/bus/v1/report.js";

type Kind = NonNullable<Report["kind"]>;

/** The end of an attempt: its last report, and the same for the log. */
export interface AttemptEnd {
  readonly report: Kind;
  readonly outcome: AttemptVerdict["outcome"];
  /** Why it failed. */
  readonly error: FailureFacts | undefined;
}

/** Weighs what the isolate says against what was done to the attempt, as {@link weighAttempt} does, and makes the last report of it. */
export function attemptEnd(
  outcome: IsolateOutcome | { readonly kind: "cancelled-early" },
  stop: StopFacts,
  limits: AttemptLimits,
): AttemptEnd {
  const verdict = weighAttempt(outcome, stop, limits);
  const error = verdict.outcome === "failed" ? verdict.error : undefined;
  return { report: verdictClaim(verdict), outcome: verdict.outcome, error };
}
