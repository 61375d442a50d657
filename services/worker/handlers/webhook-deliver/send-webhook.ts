import { PermanentError, RetryableError } from "#libs/define-task/define-task.js";
import { handlerSettings } from "#worker/handlers/handler-settings.js";
import { signWebhook, webhookSecrets } from "#worker/handlers/webhook-deliver/sign-webhook.js";
import { outboundFetch, type OutboundResponse } from "#worker/outbound/outbound-fetch.js";
import { retryAfterMs } from "#worker/outbound/retry-after-ms.js";
import { statusMeaning } from "#worker/outbound/status-meaning.js";

const TIMEOUT_MS = 10_000;
/** Only the status of an answer counts; this much of its body is read, so that the connection ends in good order. */
const MAX_ANSWER_BYTES = 16 * 1024;

/** One message to one receiver. */
export interface Webhook {
  readonly url: string;
  readonly deliveryId: string;
  readonly body: Readonly<Record<string, unknown>>;
}

/** A message that the receiver has taken. */
export interface SentWebhook {
  /** 200–299. */
  readonly status: number;
  readonly signed: boolean;
}

/**
 * Sends a webhook once. Throws, for good: `WEBHOOK_REJECTED` (status 400–499), `WEBHOOK_REDIRECTED`, `ADDRESS_REFUSED`, `INVALID_URL`;
 * retryable: `WEBHOOK_UNAVAILABLE` (status 408, 429, 500 and above, with the wait that the receiver asks for; no connection) and
 * `WEBHOOK_TIMEOUT` (10 s). Rejects with the signal's reason when it fires.
 */
export async function sendWebhook(webhook: Webhook, signal: AbortSignal): Promise<SentWebhook> {
  const { url, deliveryId: id } = webhook;
  const body = JSON.stringify(webhook.body);
  const timestampSeconds = Math.floor(Date.now() / 1000);
  const signature = signWebhook({ id, timestampSeconds, body }, webhookSecrets(handlerSettings().webhookSecret));
  const response = await outboundFetch(url, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      "webhook-id": id,
      "webhook-timestamp": String(timestampSeconds),
      ...(signature === "" ? {} : { "webhook-signature": signature }),
    },
    body,
    timeoutMs: TIMEOUT_MS,
    maxBytes: MAX_ANSWER_BYTES,
    overflow: "cut",
    signal,
  }).catch((error: unknown) => {
    throw webhookError(error);
  });
  refuseStatus(response);
  return { status: response.status, signed: signature !== "" };
}

function refuseStatus({ status, headers, url }: OutboundResponse): void {
  const meaning = statusMeaning(status);
  if (meaning === "good") return;
  const { host } = new URL(url);
  const message = `${host} answered with status ${status}`;
  if (meaning === "refused") {
    throw new PermanentError("WEBHOOK_REJECTED", message, { details: { host, status } });
  }
  const waitMs = retryAfterMs(headers["retry-after"]);
  throw new RetryableError("WEBHOOK_UNAVAILABLE", message, {
    details: { host, status },
    ...(waitMs === undefined ? {} : { retryAfterMs: waitMs }),
  });
}

/** The same failure under the code of a webhook. */
function webhookError(error: unknown): unknown {
  if (error instanceof PermanentError && error.code === "OUTBOUND_REDIRECT") {
    return new PermanentError("WEBHOOK_REDIRECTED", error.message, withDetailsOf(error));
  }
  if (error instanceof RetryableError) {
    const code = error.code === "OUTBOUND_TIMEOUT" ? "WEBHOOK_TIMEOUT" : "WEBHOOK_UNAVAILABLE";
    return new RetryableError(code, error.message, withDetailsOf(error));
  }
  return error;
}

function withDetailsOf(error: PermanentError | RetryableError) {
  return { cause: error, ...(error.details === undefined ? {} : { details: error.details }) };
}
