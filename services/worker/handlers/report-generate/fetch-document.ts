import { basename } from "node:path";
import { PermanentError, RetryableError } from "#libs/define-task/define-task.js";
import { handlerSettings } from "#worker/handlers/handler-settings.js";
import { htmlText } from "#worker/handlers/report-generate/html-text.js";
import { MAX_DOCUMENT_BYTES, type LoadedDocument } from "#worker/handlers/text-digest/read-document.js";
import { outboundFetch } from "#worker/outbound/outbound-fetch.js";
import { retryAfterMs } from "#worker/outbound/retry-after-ms.js";
import { statusMeaning } from "#worker/outbound/status-meaning.js";

const ACCEPT = "text/html, text/markdown, text/plain;q=0.9, */*;q=0.1";
const HTML = /^(text\/html|application\/xhtml\+xml)$/;
const TEXT = /^text\//;
const MAX_TITLE_CHARACTERS = 200;
/** Where HTML may name its encoding (HTML Living Standard, “prescan a byte stream”). */
const PRESCAN_BYTES = 1024;

/**
 * Fetches a document by a URL: a page of HTML, reduced to its prose, Markdown or plain text, of at most 2 MiB.
 *
 * Throws what `outboundFetch` throws; PermanentError `SOURCE_REJECTED` (a status of 400–499 but 408 and 429), RetryableError
 * `SOURCE_UNAVAILABLE` (other statuses; waits as the server asks), PermanentError `NOT_TEXT`.
 */
export async function fetchDocument(
  url: string,
  title: string | undefined,
  signal: AbortSignal,
): Promise<LoadedDocument> {
  const response = await outboundFetch(url, {
    headers: { accept: ACCEPT },
    timeoutMs: handlerSettings().reportFetchTimeoutMs,
    maxBytes: MAX_DOCUMENT_BYTES,
    signal,
  });
  const { host, pathname } = new URL(response.url);
  refuseStatus(response.status, response.headers["retry-after"], host);
  const [type = "", ...parameters] = (response.headers["content-type"] ?? "text/plain")
    .split(";")
    .map((part) => part.trim());
  const mediaType = type.toLowerCase();
  const isHtml = HTML.test(mediaType);
  if (!isHtml && !TEXT.test(mediaType)) throw notText(host, "its type is another");
  const named = parameters
    .map((parameter) => /^charset="?([^"]+)"?$/i.exec(parameter)?.[1])
    .find((name) => name !== undefined);
  const text = decode(response.body, named ?? (isHtml ? encodingWithin(response.body) : undefined) ?? "utf-8", host);
  const fileName = basename(pathname) === "" ? host : basename(pathname);
  if (!isHtml) return { text, title, fileName, format: mediaType === "text/markdown" ? "markdown" : "plain" };
  const page = htmlText(text);
  return {
    text: page.text,
    title: title ?? page.title?.slice(0, MAX_TITLE_CHARACTERS).toWellFormed(),
    fileName,
    format: "markdown",
  };
}

function refuseStatus(status: number, retryAfter: string | undefined, host: string): void {
  const meaning = statusMeaning(status);
  if (meaning === "good") return;
  const message = `${host} answered with status ${status}`;
  const details = { host, status };
  if (meaning === "refused") {
    throw new PermanentError("SOURCE_REJECTED", message, { details });
  }
  const wish = retryAfterMs(retryAfter);
  throw new RetryableError("SOURCE_UNAVAILABLE", message, {
    details,
    ...(wish === undefined ? {} : { retryAfterMs: wish }),
  });
}

function decode(body: Buffer, encoding: string, host: string): string {
  const decoder = decoderFor(encoding);
  if (decoder === undefined) throw notText(host, "its encoding is not known");
  try {
    const text = decoder.decode(body);
    if (!text.includes("\0")) return text;
  } catch {
    throw notText(host, "it contains an invalid byte sequence");
  }
  throw notText(host, "it contains a NUL character");
}

function decoderFor(encoding: string) {
  try {
    return new TextDecoder(encoding, { fatal: true });
  } catch {
    return undefined;
  }
}

function encodingWithin(body: Buffer): string | undefined {
  return /<meta[^>]{0,200}charset=["']?([\w-]+)/i.exec(body.toString("latin1", 0, PRESCAN_BYTES))?.[1];
}

function notText(host: string, why: string): PermanentError {
  return new PermanentError("NOT_TEXT", `what ${host} sent is no text: ${why}`, { details: { host } });
}
