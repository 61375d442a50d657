import { PermanentError } from "#libs/define-task/define-task.js";
import { KeyRing } from "#libs/sealing/key-ring.js";
import { runKeys } from "#worker/isolate/run-keys.js";

/**
 * The keys that personal data is sealed with: those that the worker derives from `ENCRYPTION_KEY` for this type. Without them nothing is
 * processed, in development as elsewhere. Throws PermanentError `ENCRYPTION_KEY_MISSING`.
 */
export function openVault(): KeyRing {
  const keys = runKeys();
  if (keys.current === null) {
    throw new PermanentError(
      "ENCRYPTION_KEY_MISSING",
      "resumes are processed only where personal data can be encrypted: the worker needs ENCRYPTION_KEY, and TASKWIRE_ENCRYPTION not off",
    );
  }
  return new KeyRing(keys);
}
