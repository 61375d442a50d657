import { payloadContext, resultContext } from "#libs/sealing/contexts.js";
import type { KeyRing } from "#libs/sealing/key-ring.js";
import { isSealedText } from "#libs/sealing/sealed-form.js";
import type { TaskRow } from "#task-service/store/task-columns.js";

/** A row with its payload and result opened. Throws FAILED_PRECONDITION (`KEY_MISSING`) or DATA_LOSS (`SEAL_BROKEN`). */
export function openRow<R extends TaskRow>(row: R, ring: KeyRing): R {
  const { id, payload = "", result = null } = row;
  const isResultSealed = result !== null && isSealedText(result);
  if (!isSealedText(payload) && !isResultSealed) return row;
  return {
    ...row,
    payload: ring.openText(payload, payloadContext(id)),
    result: isResultSealed ? ring.openText(result, resultContext(id)) : result,
  };
}
