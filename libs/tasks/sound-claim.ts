import type { AttemptErrorFact, Claim, ClaimKind, ProgressFact, StartedClaim } from "#libs/tasks/claim.js";
import { cutText } from "#libs/errors/error-message.js";
import { jsonProblem } from "#libs/tasks/json-bounds.js";
import {
  MAX_ATTEMPTS,
  MAX_MESSAGE_CHARACTERS,
  MAX_RETRY_CODES,
  MAX_RETRY_DELAY_MS,
  MAX_RETRY_MULTIPLIER,
  MAX_TOTAL_TIMEOUT_MS,
  MIN_TOTAL_TIMEOUT_MS,
} from "#libs/tasks/limits.js";
import { isErrorCode } from "#libs/tasks/outcome-code.js";

/**
 * The claim in a form that can be applied and stored whatever its worker has sent: a result that is no JSON or exceeds its bounds fails
 * the attempt (`RESULT_REJECTED`), broken details and log fields are dropped, messages are cut, numbers are brought into their ranges. Sound claims come
 * back as they are.
 */
export function soundClaim(claim: Claim): Claim {
  const { kind } = claim;
  const sound = kind === undefined ? undefined : soundKind(kind);
  return sound === kind ? claim : { ...claim, kind: sound };
}

function soundKind(kind: ClaimKind): ClaimKind {
  switch (kind.$case) {
    case "progress":
      return isSoundProgress(kind.value) ? kind : { $case: "progress", value: boundedProgress(kind.value) };
    case "log":
      return isObjectText(kind.value.fieldsJson) ? kind : { $case: "log", value: { ...kind.value, fieldsJson: "" } };
    case "succeeded": {
      const problem = resultProblem(kind.value.resultJson);
      if (problem !== undefined) return rejectedResult(problem);
      const { warnings } = kind.value;
      if (warnings.every(isSoundError)) return kind;
      return { $case: "succeeded", value: { ...kind.value, warnings: warnings.map(soundError) } };
    }
    case "failed": {
      const { error, retryAfterMs } = kind.value;
      if ((error === undefined || isSoundError(error)) && isDelay(retryAfterMs ?? 0)) return kind;
      return {
        $case: "failed",
        value: {
          error: error === undefined ? undefined : soundError(error),
          retryAfterMs: retryAfterMs === undefined ? undefined : boundedDelay(retryAfterMs),
        },
      };
    }
    case "released": {
      const { retryAfterMs, reason } = kind.value;
      if (isDelay(retryAfterMs) && reason.length <= MAX_MESSAGE_CHARACTERS) return kind;
      return {
        $case: "released",
        value: {
          ...kind.value,
          retryAfterMs: boundedDelay(retryAfterMs),
          reason: cutText(reason, MAX_MESSAGE_CHARACTERS),
        },
      };
    }
    case "started":
      return isSoundStart(kind.value) ? kind : { $case: "started", value: boundedStart(kind.value) };
    case "output":
    case "cancelDelivered":
    case "cancelAcknowledged":
    case "cancelGraceExpired":
    case "softLimitReached":
    case "cancelled":
      return kind;
  }
}

function isSoundStart(start: StartedClaim): boolean {
  const { maxAttempts, initialDelayMs = 0, maximumDelayMs = 0, multiplier, totalTimeoutMs = 0 } = start;
  return (
    isWithin(maxAttempts, 0, MAX_ATTEMPTS) &&
    isDelay(initialDelayMs) &&
    isDelay(maximumDelayMs) &&
    (multiplier === 0 || isWithin(multiplier, 1, MAX_RETRY_MULTIPLIER)) &&
    (totalTimeoutMs === 0 || isWithin(totalTimeoutMs, MIN_TOTAL_TIMEOUT_MS, MAX_TOTAL_TIMEOUT_MS)) &&
    Math.max(start.retryableCodes.length, start.permanentCodes.length) <= MAX_RETRY_CODES
  );
}

function boundedStart(start: StartedClaim): StartedClaim {
  const { maxAttempts, initialDelayMs, maximumDelayMs, multiplier, totalTimeoutMs } = start;
  return {
    maxAttempts: Math.min(MAX_ATTEMPTS, Math.max(0, maxAttempts)),
    initialDelayMs: initialDelayMs === undefined ? undefined : boundedDelay(initialDelayMs),
    maximumDelayMs: maximumDelayMs === undefined ? undefined : boundedDelay(maximumDelayMs),
    // Below 1, and where it is no number, as if it were not set.
    multiplier: multiplier >= 1 ? Math.min(MAX_RETRY_MULTIPLIER, multiplier) : 0,
    totalTimeoutMs: totalTimeoutMs
      ? Math.min(MAX_TOTAL_TIMEOUT_MS, Math.max(MIN_TOTAL_TIMEOUT_MS, totalTimeoutMs))
      : totalTimeoutMs,
    retryableCodes: start.retryableCodes.slice(0, MAX_RETRY_CODES),
    permanentCodes: start.permanentCodes.slice(0, MAX_RETRY_CODES),
  };
}

function isSoundProgress({ fraction }: ProgressFact): boolean {
  return fraction === undefined || (fraction >= 0 && fraction <= 1);
}

function boundedProgress(progress: ProgressFact): ProgressFact {
  const { fraction = 0 } = progress;
  return { ...progress, fraction: Number.isNaN(fraction) ? undefined : Math.min(1, Math.max(0, fraction)) };
}

function resultProblem(resultJson: string): string | undefined {
  try {
    return jsonProblem(JSON.parse(resultJson), resultJson);
  } catch {
    // The engine's own words quote the text.
    return "is no JSON";
  }
}

function rejectedResult(problem: string): ClaimKind {
  const error = { code: "RESULT_REJECTED", message: `the result ${problem}`, retryable: false, detailsJson: "" };
  return { $case: "failed", value: { error } };
}

function isSoundError({ code, message, detailsJson }: AttemptErrorFact): boolean {
  return isErrorCode(code) && message.length <= MAX_MESSAGE_CHARACTERS && isObjectText(detailsJson);
}

function soundError(error: AttemptErrorFact): AttemptErrorFact {
  if (isSoundError(error)) return error;
  return {
    ...error,
    code: isErrorCode(error.code) ? error.code : "HANDLER_ERROR",
    message: cutText(error.message, MAX_MESSAGE_CHARACTERS),
    detailsJson: isObjectText(error.detailsJson) ? error.detailsJson : "",
  };
}

/** Whether a text is empty or the JSON of an object within the bounds of a payload. */
function isObjectText(text: string): boolean {
  if (text === "") return true;
  try {
    const value: unknown = JSON.parse(text);
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    return isObject && jsonProblem(value, text) === undefined;
  } catch {
    return false;
  }
}

function isDelay(delayMs: number): boolean {
  return isWithin(delayMs, 0, MAX_RETRY_DELAY_MS);
}

function boundedDelay(delayMs: number): number {
  return Math.min(MAX_RETRY_DELAY_MS, Math.max(0, delayMs));
}

function isWithin(value: number, least: number, most: number): boolean {
  return value >= least && value <= most;
}
