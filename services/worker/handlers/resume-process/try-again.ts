import { delay } from "#libs/async/delay.js";
import { PermanentError, RetryableError } from "#libs/define-task/define-task.js";

/** How often and how soon something is tried again. */
export interface TryAgain {
  /** Further tries. */
  readonly retries: number;
  /** Wait before the first of them, milliseconds; doubles from try to try, up to ten times as long. */
  readonly delayMs: number;
  readonly signal: AbortSignal;
}

const LONGEST_WAIT_FACTOR = 10;

/**
 * Runs `job` until it succeeds, fails for good (`PermanentError`) or has no try left; rejects with its last error, or the signal's reason. A
 * wait that an error asks for is kept, up to the longest of the own ones.
 */
export async function tryAgain<T>(job: () => Promise<T>, { retries, delayMs, signal }: TryAgain): Promise<T> {
  for (let round = 0; ; round += 1) {
    signal.throwIfAborted();
    try {
      return await job();
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof PermanentError || round >= retries) throw error;
      const asked = error instanceof RetryableError ? (error.retryAfterMs ?? 0) : 0;
      const waitMs = Math.min(Math.max(delayMs * 2 ** round, asked), delayMs * LONGEST_WAIT_FACTOR);
      await delay(waitMs, signal);
    }
  }
}
