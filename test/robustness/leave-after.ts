/**
 * Does work with a signal that fires after a time, or with another signal where there is one. Node 20 may collect what `AbortSignal.any` makes of an
 * `AbortSignal.timeout` before it fires, so it is not made of these.
 */
export async function leaveAfter(
  forMs: number,
  stop: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const leaving = new AbortController();
  const leave = () => {
    leaving.abort();
  };
  if (stop?.aborted) leave();
  const timer = setTimeout(leave, forMs);
  stop?.addEventListener("abort", leave, { once: true });
  try {
    await work(leaving.signal);
  } finally {
    clearTimeout(timer);
    stop?.removeEventListener("abort", leave);
  }
}
