import { lookup } from "node:dns";
import { request as requestHttp, type IncomingHttpHeaders, type IncomingMessage } from "node:http";
import { request as requestHttps } from "node:https";
import { PermanentError, RetryableError } from "#libs/define-task/define-task.js";
import { handlerSettings } from "#worker/handlers/handler-settings.js";
import { guardedLookup, refusePrivateHost, type Resolve } from "#worker/outbound/guarded-lookup.js";

/** One request to a server that somebody else named. */
export interface OutboundRequest {
  /** Default `GET`. */
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  /** For everything, from the look-up of the name to the last byte of the answer; milliseconds. */
  readonly timeoutMs: number;
  /** Most bytes of the answer's body. */
  readonly maxBytes: number;
  /** What happens to a longer body. `refuse` (default): `RESPONSE_TOO_LARGE`. `cut`: the first `maxBytes` are the body, as always with a status of 400 or more. */
  readonly overflow?: "refuse" | "cut";
  readonly signal: AbortSignal;
  /** Whether the server may have an address that is not public; default: the setting `TASKWIRE_ALLOW_PRIVATE_ADDRESSES`. */
  readonly allowPrivate?: boolean;
  /** Default: the system's resolver. */
  readonly resolve?: Resolve;
}

/** The answer, whatever its status is. */
export interface OutboundResponse {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** As it was sent: nothing is decompressed. */
  readonly body: Buffer;
  /** The URL in its normal form. */
  readonly url: string;
}

/**
 * Sends one HTTP request over a connection of its own, and reads the answer. Every address that the host's name stands for is checked when
 * the connection is made.
 *
 * Throws, for good: `INVALID_URL` (not http or https, or with a user or password in it), `ADDRESS_REFUSED`, `OUTBOUND_REDIRECT` (status
 * 300–399: nothing is followed) and `RESPONSE_TOO_LARGE`; retryable: `OUTBOUND_TIMEOUT` and `OUTBOUND_UNAVAILABLE` (no such name, no
 * connection, TLS trouble, a connection that broke). Rejects with the signal's reason when it fires. Messages name the host only.
 */
export async function outboundFetch(target: string | URL, options: OutboundRequest): Promise<OutboundResponse> {
  const url = checkedUrl(target);
  const allowPrivate = options.allowPrivate ?? handlerSettings().allowPrivateAddresses === "on";
  if (!allowPrivate) refusePrivateHost(url.hostname);
  options.signal.throwIfAborted();
  const stop = new AbortController();
  const onAbort = () => stop.abort(options.signal.reason);
  const timer = setTimeout(() => stop.abort(timeoutError(url, options.timeoutMs)), options.timeoutMs);
  options.signal.addEventListener("abort", onAbort, { once: true });
  try {
    const response = await send(url, options, { signal: stop.signal, allowPrivate });
    try {
      return await receive(url, response, options);
    } finally {
      response.destroy();
    }
  } catch (error) {
    stop.signal.throwIfAborted();
    throw error instanceof PermanentError ? error : unavailable(url, error);
  } finally {
    clearTimeout(timer);
    options.signal.removeEventListener("abort", onAbort);
  }
}

function checkedUrl(target: string | URL): URL {
  const url = URL.canParse(String(target)) ? new URL(target) : undefined;
  if (url === undefined || (url.protocol !== "http:" && url.protocol !== "https:")) {
    throw new PermanentError("INVALID_URL", "the URL is not one of http or https");
  }
  if (url.username !== "" || url.password !== "") {
    throw new PermanentError("INVALID_URL", "a URL with a user or a password in it is not used");
  }
  return url;
}

/** Without an agent, no connection is kept: one that was made when private addresses were allowed cannot serve another request. */
function send(
  url: URL,
  { method = "GET", headers = {}, body, resolve = lookup }: OutboundRequest,
  { signal, allowPrivate }: { readonly signal: AbortSignal; readonly allowPrivate: boolean },
): Promise<IncomingMessage> {
  const request = url.protocol === "https:" ? requestHttps : requestHttp;
  return new Promise((onResponse, onError) => {
    const options = { method, headers: { "user-agent": "taskwire", ...headers }, agent: false, signal };
    request(url, { ...options, lookup: guardedLookup(resolve, { allowPrivate }) }, onResponse)
      .on("error", onError)
      .end(body);
  });
}

async function receive(
  url: URL,
  response: IncomingMessage,
  { maxBytes, overflow = "refuse" }: OutboundRequest,
): Promise<OutboundResponse> {
  const status = response.statusCode ?? 0;
  if (status >= 300 && status < 400) {
    throw new PermanentError("OUTBOUND_REDIRECT", `${url.host} answered with a redirect (status ${status})`, {
      details: { host: url.host, status },
    });
  }
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    length += chunk.length;
    if (length <= maxBytes) continue;
    if (overflow === "cut" || status >= 400) break;
    throw new PermanentError("RESPONSE_TOO_LARGE", `the answer of ${url.host} has more than ${maxBytes} bytes`, {
      details: { host: url.host, status, maxBytes },
    });
  }
  return { status, headers: response.headers, body: Buffer.concat(chunks).subarray(0, maxBytes), url: url.href };
}

function timeoutError(url: URL, timeoutMs: number): RetryableError {
  return new RetryableError("OUTBOUND_TIMEOUT", `${url.host} did not answer within ${timeoutMs} ms`, {
    details: { host: url.host, timeoutMs },
  });
}

function unavailable(url: URL, error: unknown): RetryableError {
  const systemCode = error instanceof Error && "code" in error ? String(error.code) : "unknown";
  return new RetryableError("OUTBOUND_UNAVAILABLE", `the request to ${url.host} failed: ${systemCode}`, {
    details: { host: url.host, systemCode },
    cause: error,
  });
}
