/** Resolves after `delayMs` milliseconds, or rejects with the signal's reason when it fires first. */
export function delay(delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason as Error);
      return;
    }
    const onAbort = () => {
      clearTimeout(timer);
      reject(signal?.reason as Error);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    }, delayMs);
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}

/** A random wait in [0, min(maximumMs, initialMs × 2^round)], the “full jitter” of the AWS Architecture Blog (2015). Rounds count from 0. */
export function jitteredBackoffMs(
  round: number,
  initialMs: number,
  maximumMs: number,
  random: () => number = Math.random,
): number {
  return random() * Math.min(maximumMs, initialMs * 2 ** Math.min(round, 30));
}
