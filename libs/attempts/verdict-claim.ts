import type { AttemptVerdict } from "#libs/attempts/attempt-verdict.js";

/** What a worker claims about the end of an attempt. */
export function verdictClaim(verdict: AttemptVerdict) {
  switch (verdict.outcome) {
    case "succeeded": {
      const { resultJson, warnings } = verdict;
      return { $case: "succeeded" as const, value: { resultJson, warnings: [...warnings] } };
    }
    case "failed": {
      const { error, retryAfterMs } = verdict;
      const value = { error: { ...error }, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
      return { $case: "failed" as const, value };
    }
    case "cancelled":
      return { $case: "cancelled" as const, value: { phase: verdict.phase } };
    case "released":
    case "abandoned": {
      const { code, reason, retryAfterMs } = verdict;
      return { $case: "released" as const, value: { code, reason, retryAfterMs } };
    }
  }
}
