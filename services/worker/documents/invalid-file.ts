import { PermanentError } from "#libs/define-task/define-task.js";

/** Why a document is refused. */
export type InvalidReason =
  | "empty"
  | "unsupported"
  | "mismatch"
  | "truncated"
  | "damaged"
  | "encrypted"
  | "archive_limit"
  | "too_many_pages"
  | "too_much_text";

/** The error of a document that no further attempt can read: `INVALID_FILE`, with `reason` in its details. */
export function invalidFile(
  reason: InvalidReason,
  message: string,
  more: { readonly details?: Readonly<Record<string, unknown>>; readonly cause?: unknown } = {},
): PermanentError {
  return new PermanentError("INVALID_FILE", message, {
    details: { reason, ...more.details },
    ...(more.cause === undefined ? {} : { cause: more.cause }),
  });
}
