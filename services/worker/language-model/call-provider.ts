import { delay, jitteredBackoffMs } from "#libs/async/delay.js";
import { PermanentError, RetryableError } from "#libs/define-task/define-task.js";
import { failureOf } from "#worker/language-model/provider-failure.js";
import { ProviderFetch } from "#worker/language-model/provider-fetch.js";

/** Where a provider is. */
export interface ProviderAccess {
  /** Empty: its public address. */
  readonly baseUrl: string;
  /** Empty: the server asks for none. */
  readonly apiKey: string;
}

/** What the official clients, which insist on a key, are given where there is none. */
export const NO_KEY = "none";

/** How patient a call is. */
export interface ProviderLimits {
  /** Time until the connection is there. */
  readonly connectTimeoutMs: number;
  /** Time of one try, from the look-up of the name to the last byte. */
  readonly callTimeoutMs: number;
  /** Further tries after a failure that may pass. */
  readonly retries: number;
  /** Longest wait before the first further try; doubles, with full jitter. */
  readonly retryDelayMs: number;
  /** Longest wait of all; a provider that asks for a longer one ends the call. */
  readonly retryMaxDelayMs: number;
}

/** Sends the request by a provider's client, which must use this `fetch` and signal and try only once; returns its answer. */
export type SendRequest<T> = (fetch: typeof globalThis.fetch, signal: AbortSignal) => Promise<T>;

/**
 * Makes one call to a provider, with further tries as the limits say. Throws what `LanguageModel.complete` throws; `tries` is in the details,
 * and the message of a failure that may pass tells of several.
 */
export async function callProvider<T>(limits: ProviderLimits, signal: AbortSignal, send: SendRequest<T>): Promise<T> {
  const provider = new ProviderFetch(limits.connectTimeoutMs);
  try {
    for (let tries = 1; ; tries += 1) {
      try {
        return await tryOnce(provider, limits, signal, send);
      } catch (error) {
        signal.throwIfAborted();
        const waitMs =
          error instanceof RetryableError && tries <= limits.retries ? waitFor(error, tries, limits) : undefined;
        if (waitMs === undefined) throw withTries(error, tries);
        await delay(waitMs, signal);
      }
    }
  } finally {
    await provider.close();
  }
}

async function tryOnce<T>(
  provider: ProviderFetch,
  { connectTimeoutMs, callTimeoutMs }: ProviderLimits,
  signal: AbortSignal,
  send: SendRequest<T>,
): Promise<T> {
  signal.throwIfAborted();
  const stop = new AbortController();
  let isLate = false;
  const onAbort = () => {
    stop.abort(signal.reason);
  };
  const timer = setTimeout(() => {
    isLate = true;
    stop.abort();
  }, callTimeoutMs);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await send(provider.fetch, stop.signal);
  } catch (error) {
    signal.throwIfAborted();
    const limitMs = { call: callTimeoutMs, connect: connectTimeoutMs };
    throw failureOf(error, isLate ? "late" : provider.latest, limitMs);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
  }
}

/** How long to wait before another try; undefined: longer than a call may. */
function waitFor({ retryAfterMs }: RetryableError, tries: number, limits: ProviderLimits): number | undefined {
  if (retryAfterMs === undefined) return jitteredBackoffMs(tries - 1, limits.retryDelayMs, limits.retryMaxDelayMs);
  return retryAfterMs <= limits.retryMaxDelayMs ? retryAfterMs : undefined;
}

function withTries(error: unknown, tries: number): unknown {
  if (error instanceof PermanentError) {
    return new PermanentError(error.code, error.message, { details: { ...error.details, tries }, cause: error.cause });
  }
  if (!(error instanceof RetryableError)) return error;
  const message = tries === 1 ? error.message : `${error.message} (${tries} tries)`;
  const { code, details, retryAfterMs, cause } = error;
  const wish = retryAfterMs === undefined ? {} : { retryAfterMs };
  return new RetryableError(code, message, { details: { ...details, tries, ...wish }, ...wish, cause });
}
