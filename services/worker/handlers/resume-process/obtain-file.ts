import { basename, extname } from "node:path";
import { PermanentError, RetryableError } from "#libs/define-task/define-task.js";
import type { DocumentLimits } from "#worker/documents/document-settings.js";
import { readFileBytes } from "#worker/handlers/read-file-bytes.js";
import type { ResumeSettings } from "#worker/handlers/resume-process/resume-settings.js";
import { tryAgain } from "#worker/handlers/resume-process/try-again.js";
import { outboundFetch, type OutboundResponse } from "#worker/outbound/outbound-fetch.js";
import { retryAfterMs } from "#worker/outbound/retry-after-ms.js";
import { statusMeaning } from "#worker/outbound/status-meaning.js";

/** Where a resume is: exactly one of the two. */
export interface FileSource {
  /** On the worker's machine. */
  readonly path?: string | undefined;
  /** Of http or https. */
  readonly url?: string | undefined;
}

/** A file, and what is known about its type. */
export interface ObtainedFile {
  readonly bytes: Buffer;
  readonly name: string | undefined;
  readonly contentType: string | undefined;
}

/** What obtaining goes by. */
export interface ObtainOptions {
  readonly settings: ResumeSettings & Pick<DocumentLimits, "documentBytes">;
  readonly signal: AbortSignal;
}

/** Media types that hold no document, whatever the bytes look like: a page that asks to log in is one of them. */
const NO_DOCUMENT =
  /^(?:text\/(?:html|css|csv|xml|javascript)|image\/|audio\/|video\/|font\/|application\/(?:xhtml|xml|json|javascript))/i;
const HTML = /^(?:\ufeff|\s)*<(?:!doctype\s+html|html)/i;
const HTML_WITHIN = 1024;

/**
 * Reads or downloads a file. Messages and details tell neither path nor URL, which often hold a name.
 *
 * Throws PermanentError `INVALID_FILE` (`reason`: `too_large`, `not_a_file`, `unsupported`), `FILE_NOT_FOUND`, `FILE_SYSTEM_ERROR` (retryable
 * where trying again may help), `STORAGE_DOWNLOAD_ERROR` (retryable, but for status 400–499 other than 408 and 429), `ADDRESS_REFUSED`,
 * `INVALID_URL`, `OUTBOUND_REDIRECT`, or the signal's reason.
 */
export async function obtainFile(source: FileSource, options: ObtainOptions): Promise<ObtainedFile> {
  const file =
    source.url === undefined ? await readLocal(source.path ?? "", options) : await download(source.url, options);
  const isHtml = HTML.test(file.bytes.subarray(0, HTML_WITHIN).toString());
  if (isHtml || NO_DOCUMENT.test(file.contentType ?? "")) throw invalid("unsupported", "the file is no document");
  return file;
}

async function readLocal(path: string, { settings, signal }: ObtainOptions): Promise<ObtainedFile> {
  try {
    const bytes = await readFileBytes(path, { maxBytes: settings.documentBytes, signal });
    return { bytes, name: basename(path), contentType: undefined };
  } catch (error) {
    signal.throwIfAborted();
    throw withoutPath(error, settings.documentBytes);
  }
}

function withoutPath(error: unknown, maxBytes: number): unknown {
  const isOurs = error instanceof PermanentError || error instanceof RetryableError;
  if (!isOurs) return new RetryableError("FILE_SYSTEM_ERROR", "the file cannot be read");
  if (error.code === "FILE_TOO_LARGE") return tooLarge(maxBytes);
  if (error.code === "NOT_A_FILE") return invalid("not_a_file", "the path names no regular file");
  if (error.code === "FILE_NOT_FOUND") return new PermanentError(error.code, "the file does not exist");
  const systemCode = error.details?.["systemCode"];
  const kind = error instanceof PermanentError ? PermanentError : RetryableError;
  return new kind("FILE_SYSTEM_ERROR", `the file cannot be read: ${String(systemCode)}`, { details: { systemCode } });
}

async function download(url: string, { settings, signal }: ObtainOptions): Promise<ObtainedFile> {
  const { resumeDownloadRetries: retries, resumeRetryDelayMs: delayMs, resumeDownloadTimeoutMs: timeoutMs } = settings;
  const response = await tryAgain(
    async () => {
      const answer = await outboundFetch(url, { timeoutMs, maxBytes: settings.documentBytes, signal }).catch(
        (error: unknown) => {
          signal.throwIfAborted();
          throw downloadError(error, settings.documentBytes);
        },
      );
      refuseStatus(answer);
      return answer;
    },
    { retries, delayMs, signal },
  );
  const { pathname } = new URL(response.url);
  const hasExtension = /^\.[a-z0-9]{2,8}$/i.test(extname(pathname));
  return {
    bytes: response.body,
    name: hasExtension ? `file${extname(pathname)}` : undefined,
    contentType: response.headers["content-type"],
  };
}

function downloadError(error: unknown, maxBytes: number): unknown {
  if (error instanceof PermanentError) {
    if (error.code === "RESPONSE_TOO_LARGE") return tooLarge(maxBytes);
    const why = error.code === "ADDRESS_REFUSED" ? ", as it has no public address" : "";
    return new PermanentError(error.code, `the file's server is not asked any further${why}`);
  }
  const reason = error instanceof RetryableError ? error.code : "unknown";
  return new RetryableError("STORAGE_DOWNLOAD_ERROR", `the file cannot be downloaded: ${reason}`, {
    details: { reason },
  });
}

function refuseStatus({ status, headers }: OutboundResponse): void {
  const meaning = statusMeaning(status);
  if (meaning === "good") return;
  const message = `the file cannot be downloaded: its server answers with status ${status}`;
  const details = { reason: "status", status };
  if (meaning === "refused") {
    throw new PermanentError("STORAGE_DOWNLOAD_ERROR", message, { details });
  }
  const waitMs = retryAfterMs(headers["retry-after"]);
  throw new RetryableError("STORAGE_DOWNLOAD_ERROR", message, {
    details,
    ...(waitMs === undefined ? {} : { retryAfterMs: waitMs }),
  });
}

function tooLarge(maxBytes: number): PermanentError {
  return new PermanentError("INVALID_FILE", `the file has more than ${maxBytes} bytes`, {
    details: { reason: "too_large", maxBytes },
  });
}

function invalid(reason: string, message: string): PermanentError {
  return new PermanentError("INVALID_FILE", message, { details: { reason } });
}
