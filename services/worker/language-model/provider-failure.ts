import { z } from "zod";
import { PermanentError, RetryableError } from "#libs/define-task/define-task.js";
import type { ProviderExchange } from "#worker/language-model/provider-fetch.js";
import { retryAfterMs } from "#worker/outbound/retry-after-ms.js";

/** What providers call their errors, in the object that their clients make of the answer's body. Anything else in it stays unsaid: it may quote the request. */
const word = z.string().regex(/^[a-zA-Z0-9_.-]{1,64}$/);
const named = z.looseObject({ code: word.nullish().catch(undefined), type: word.nullish().catch(undefined) });
const thrown = z.looseObject({ code: z.string().regex(/^[A-Z0-9_]{1,64}$/) });

/** An answer that is not of the form it should have; `what` says what is wrong with it and quotes nothing. */
export function parseFailure(what: string, cause?: unknown): RetryableError {
  return new RetryableError("LLM_PARSE_ERROR", `the model provider's answer cannot be used: ${what}`, { cause });
}

/**
 * What a failed try means: `LLM_TIMEOUT`, `LLM_RATE_LIMIT`, `LLM_UNAVAILABLE`, `LLM_PARSE_ERROR` (all retryable) or `LLM_REJECTED` (for good).
 * `exchange`: what happened on the wire, `late` when the try's time was over, undefined when nothing was sent.
 */
export function failureOf(
  error: unknown,
  exchange: ProviderExchange | "late" | undefined,
  limitMs: { readonly call: number; readonly connect: number },
): RetryableError | PermanentError {
  if (error instanceof RetryableError || error instanceof PermanentError) return error;
  if (exchange === "late") return timeout("the model provider did not answer", limitMs.call, error);
  if (exchange === undefined) {
    return new PermanentError("LLM_REJECTED", "the request to the model provider cannot be made", { cause: error });
  }
  if (exchange.status === undefined) return connectionFailure(exchange.failure ?? error, limitMs.connect);
  if (exchange.status >= 300) return statusFailure(exchange.status, exchange.retryAfter, error);
  if (systemCodeOf(error) === "UND_ERR_RES_EXCEEDED_MAX_SIZE") return parseFailure("it is too large", error);
  if (error instanceof SyntaxError) return parseFailure("it is no JSON", error);
  return unavailable("the connection to the model provider broke within the answer", error);
}

function connectionFailure(failure: unknown, connectTimeoutMs: number): RetryableError {
  const systemCode = systemCodeOf(failure);
  if (systemCode === "UND_ERR_CONNECT_TIMEOUT") {
    return timeout("the model provider did not take the connection", connectTimeoutMs, failure);
  }
  return unavailable(`the model provider cannot be reached: ${systemCode ?? "connection failed"}`, failure);
}

function statusFailure(
  status: number,
  retryAfter: string | undefined,
  error: unknown,
): RetryableError | PermanentError {
  const wish = retryAfterMs(retryAfter);
  const name = nameOf(error);
  const message = `the model provider answered ${status}${name === undefined ? "" : ` (${name})`}`;
  const options = { details: { status }, cause: error, ...(wish === undefined ? {} : { retryAfterMs: wish }) };
  if (status === 429) return new RetryableError("LLM_RATE_LIMIT", message, options);
  if (status === 408) return new RetryableError("LLM_TIMEOUT", message, options);
  // 409: what the clients of both providers call a lock timeout, and try again.
  if (status >= 500 || status === 409) return new RetryableError("LLM_UNAVAILABLE", message, options);
  return new PermanentError("LLM_REJECTED", message, { details: { status }, cause: error });
}

/** A provider's word for its error: `invalid_api_key` of OpenAI's body, `overloaded_error` of Anthropic's. */
function nameOf(error: unknown): string | undefined {
  const own = named.safeParse(error).data;
  const inner = named.safeParse(
    z.looseObject({ error: z.looseObject({ error: z.unknown() }) }).safeParse(error).data?.error.error,
  ).data;
  return own?.code ?? own?.type ?? inner?.code ?? inner?.type ?? undefined;
}

/** The code of an error or of its nearest cause that has one. */
function systemCodeOf(error: unknown): string | undefined {
  for (let at = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth += 1) {
    const code = thrown.safeParse(at).data?.code;
    if (code !== undefined) return code;
  }
  return undefined;
}

function timeout(what: string, limitMs: number, cause: unknown): RetryableError {
  return new RetryableError("LLM_TIMEOUT", `${what} within ${limitMs} ms`, { details: { timeoutMs: limitMs }, cause });
}

function unavailable(message: string, cause: unknown): RetryableError {
  return new RetryableError("LLM_UNAVAILABLE", message, { cause });
}
