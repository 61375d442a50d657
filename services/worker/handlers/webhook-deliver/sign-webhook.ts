import { createHmac } from "node:crypto";

/** What a signature covers. */
export interface SignedWebhook {
  /** Stays the same over all attempts of a delivery; no dots. */
  readonly id: string;
  /** Whole seconds since 1970. */
  readonly timestampSeconds: number;
  /** Exactly as it is sent. */
  readonly body: string;
}

/** The secrets of the setting `TASKWIRE_WEBHOOK_SECRET`, in its order. */
export function webhookSecrets(setting: string): readonly string[] {
  return setting.split(/[\s,]+/).filter((secret) => secret !== "");
}

/**
 * The value of `webhook-signature` after the Standard Webhooks specification: for each secret `v1,` and the base64 of HMAC-SHA256 over
 * `id.timestamp.body`, separated by spaces. Secrets are `whsec_` and the base64 of the key.
 */
export function signWebhook({ id, timestampSeconds, body }: SignedWebhook, secrets: readonly string[]): string {
  const content = `${id}.${timestampSeconds}.${body}`;
  return secrets
    .map((secret) => Buffer.from(secret.replace(/^whsec_/, ""), "base64"))
    .map((key) => `v1,${createHmac("sha256", key).update(content).digest("base64")}`)
    .join(" ");
}
