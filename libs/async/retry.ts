import { delay } from "#libs/async/delay.js";

/** Runs a job until it succeeds, `waitMs` milliseconds apart. Rejects only with the signal's reason, when it fires. */
export async function retryUntilDone<T>(
  job: () => Promise<T>,
  options: { readonly signal: AbortSignal; readonly waitMs: number; readonly onError: (error: unknown) => void },
): Promise<T> {
  const { signal, waitMs, onError } = options;
  for (;;) {
    signal.throwIfAborted();
    try {
      return await job();
    } catch (error) {
      if (signal.aborted) throw error;
      onError(error);
      await delay(waitMs, signal);
    }
  }
}
