import { delay } from "#libs/async/delay.js";

/**
 * Waits for a named condition and returns its first value that is neither undefined nor false. Fails after `timeoutMs` (default 30,000,
 * because other test files run beside) with the name of what did not come true.
 */
export async function until<T>(
  what: string,
  condition: () => T | undefined | false | Promise<T | undefined | false>,
  timeoutMs = 30_000,
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const value = await condition();
    if (value !== undefined && value !== false) return value;
    if (Date.now() > deadline) throw new Error(`not within ${timeoutMs} ms: ${what}`);
    await delay(20);
  }
}
