import { payloadContext, resultContext, webhookContext } from "#libs/sealing/contexts.js";
import type { KeyRing } from "#libs/sealing/key-ring.js";
import { isSealedText } from "#libs/sealing/sealed-form.js";
import type { TaskRow } from "#task-service/store/task-columns.js";

/** A row with its payload, result and webhook opened. Throws FAILED_PRECONDITION (`KEY_MISSING`) or DATA_LOSS (`SEAL_BROKEN`). */
export function openRow<R extends TaskRow>(row: R, ring: KeyRing): R {
  const { id, payload = "", result = null, webhook = null } = row;
  const isResultSealed = result !== null && isSealedText(result);
  const isWebhookSealed = webhook !== null && isSealedText(webhook);
  if (!isSealedText(payload) && !isResultSealed && !isWebhookSealed) return row;
  return {
    ...row,
    payload: ring.openText(payload, payloadContext(id)),
    result: isResultSealed ? ring.openText(result, resultContext(id)) : result,
    webhook: isWebhookSealed ? ring.openText(webhook, webhookContext(id)) : webhook,
  };
}
