/** How failed attempts are retried. Delays in milliseconds. */
export interface RetryPolicy {
  readonly initialDelayMs: number;
  readonly maximumDelayMs: number;
  readonly multiplier: number;
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
