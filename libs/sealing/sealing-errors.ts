import { TaskwireError } from "#libs/errors/taskwire-error.js";

const KEY_MISSING = "KEY_MISSING";

/** FAILED_PRECONDITION (`KEY_MISSING`): a value is sealed with a key that this process was not given; trying again does not help. */
export function keyMissing(keyId: string): TaskwireError {
  return new TaskwireError({
    code: "FAILED_PRECONDITION",
    reason: KEY_MISSING,
    message: `sealed with the encryption key ${keyId}, which is not here; it belongs into ENCRYPTION_OLD_KEYS`,
    metadata: { key_id: keyId },
  });
}

/** DATA_LOSS (`SEAL_BROKEN`): a sealed value was altered or cut, or belongs to another place. */
export function sealBroken(): TaskwireError {
  return new TaskwireError({
    code: "DATA_LOSS",
    reason: "SEAL_BROKEN",
    message: "a sealed value was altered, or is not where it belongs",
  });
}

/** The id of the key that was missing; undefined: this is another error. */
export function missingKeyOf(error: unknown): string | undefined {
  return error instanceof TaskwireError && error.reason === KEY_MISSING ? error.metadata["key_id"] : undefined;
}
