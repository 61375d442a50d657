import { z } from "zod";
import { PermanentError, RetryableError } from "#libs/define-task/define-task.js";
import type { HandlerSettings } from "#worker/handlers/handler-settings.js";
import { sourceDocument, type SourceDocument } from "#worker/handlers/research-run/source-document.js";
import { outboundFetch } from "#worker/outbound/outbound-fetch.js";
import { retryAfterMs } from "#worker/outbound/retry-after-ms.js";

/** The settings that say where to search. */
export type SearchSettings = Pick<
  HandlerSettings,
  "researchSearchUrl" | "researchSearchKey" | "researchSearchMethod" | "researchSearchTimeoutMs"
>;

/** Largest answer of the endpoint, bytes. */
const MAX_ANSWER_BYTES = 4 * 1024 * 1024;
/** Characters read of a result's text; the rest is cut off. */
const MAX_TEXT_CHARACTERS = 200_000;
const MAX_URL_CHARACTERS = 1000;

const answerSchema = z.object({
  results: z
    .array(
      z.object({
        title: z.string().max(1000),
        url: z
          .url({ protocol: /^https?$/ })
          .transform((url) => new URL(url).href)
          .pipe(z.string().max(MAX_URL_CHARACTERS)),
        text: z.string(),
      }),
    )
    .max(100),
});

/**
 * Asks the configured search endpoint for at most `limit` documents. Its address may be private: who runs the worker chose it.
 *
 * Throws RetryableError `SEARCH_UNAVAILABLE` for everything that goes wrong with it, with `retryAfterMs` where it asks for a wait, or the
 * signal's reason. Neither query nor answer is quoted.
 */
export async function searchEndpoint(
  query: string,
  limit: number,
  settings: SearchSettings,
  signal: AbortSignal,
): Promise<SourceDocument[]> {
  const response = await outboundFetch(endpointUrl(query, limit, settings), {
    ...requestOf(query, limit, settings),
    timeoutMs: settings.researchSearchTimeoutMs,
    maxBytes: MAX_ANSWER_BYTES,
    allowPrivate: true,
    signal,
  }).catch((error: unknown) => {
    signal.throwIfAborted();
    const isOwn = error instanceof RetryableError || error instanceof PermanentError;
    throw unavailable(isOwn ? error.message : "it cannot be asked", error);
  });
  if (response.status < 200 || response.status > 299) {
    const wait = retryAfterMs(response.headers["retry-after"]);
    throw unavailable(`it answered with status ${response.status}`, undefined, wait);
  }
  const answer = answerSchema.safeParse(jsonOf(response.body));
  if (!answer.success) throw unavailable("its answer is not the JSON that is expected");
  return answer.data.results
    .slice(0, limit)
    .map(({ title, url, text }) =>
      sourceDocument({ url }, { text: text.slice(0, MAX_TEXT_CHARACTERS), format: "plain", title: title || url }),
    );
}

function endpointUrl(query: string, limit: number, settings: SearchSettings): URL {
  const url = new URL(settings.researchSearchUrl);
  if (settings.researchSearchMethod === "POST") return url;
  url.searchParams.set("query", query);
  url.searchParams.set("limit", String(limit));
  return url;
}

function requestOf(
  query: string,
  limit: number,
  { researchSearchKey: key, researchSearchMethod: method }: SearchSettings,
) {
  const headers = { accept: "application/json", ...(key === "" ? {} : { authorization: `Bearer ${key}` }) };
  if (method === "GET") return { method, headers };
  return {
    method,
    headers: { ...headers, "content-type": "application/json" },
    body: JSON.stringify({ query, limit }),
  };
}

function jsonOf(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    return undefined;
  }
}

function unavailable(why: string, cause?: unknown, wait?: number): RetryableError {
  return new RetryableError("SEARCH_UNAVAILABLE", `the search endpoint is of no use: ${why}`, {
    cause,
    ...(wait === undefined ? {} : { retryAfterMs: wait }),
  });
}

/** Whether {@link searchEndpoint} threw this for a failure of the endpoint. */
export function isSearchFailure(error: unknown): error is RetryableError {
  return error instanceof RetryableError && error.code === "SEARCH_UNAVAILABLE";
}
