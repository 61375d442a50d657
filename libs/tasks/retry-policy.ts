/** How failed attempts are retried. Delays in milliseconds. */
export interface RetryPolicy {
  readonly initialDelayMs: number;
  readonly maximumDelayMs: number;
  readonly multiplier: number;
}

/** Which error codes are retried, whatever the errors say of themselves. */
export interface RetryCodes {
  /** Only these; empty: all but the permanent ones. */
  readonly retryable: readonly string[];
  /** Never these. */
  readonly permanent: readonly string[];
}

/** Whether the codes of a task allow another attempt after an error. */
export function isRetriedCode(codes: RetryCodes | null, code: string): boolean {
  if (codes === null) return true;
  return !codes.permanent.includes(code) && (codes.retryable.length === 0 || codes.retryable.includes(code));
}

/** What a task gets whose creator and handler said nothing. */
export const DEFAULT_RETRY_POLICY: RetryPolicy = { initialDelayMs: 1000, maximumDelayMs: 600_000, multiplier: 2 };

/** Attempts of a task whose creator and handler said nothing. */
export const DEFAULT_MAX_ATTEMPTS = 3;

/**
 * The wait after failed attempt `attempt` (from 1): uniformly random in [0, min(maximum, initial × multiplier^(attempt−1))], the
 * “full jitter” of the AWS Architecture Blog, “Exponential Backoff And Jitter” (2015). `random` is in [0, 1).
 */
export function retryDelayMs(policy: RetryPolicy, attempt: number, random: number): number {
  const ceiling = Math.min(policy.maximumDelayMs, policy.initialDelayMs * policy.multiplier ** (attempt - 1));
  return Math.round(random * ceiling);
}
