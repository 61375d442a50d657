/** Codes of outcomes that only Taskwire may claim; stable words for programs. */
export const OUTCOME_CODES = [
  "SOFT_TIMEOUT",
  "HARD_TIMEOUT",
  "CANCELLED",
  "CRASHED",
  "OUT_OF_MEMORY",
  "WORKER_LOST",
  "WORKER_SHUTDOWN",
  "RETRY_LATER",
  "POISONED",
  "TOTAL_TIMEOUT",
  "PAYLOAD_REJECTED",
  "RESULT_REJECTED",
  "UNKNOWN_TYPE",
] as const;

/** One of {@link OUTCOME_CODES}. */
export type OutcomeCode = (typeof OUTCOME_CODES)[number];

const CODE = /^[A-Z][A-Z0-9_]{0,62}$/;

/** Whether a text has the form of an error code: 1 to 63 characters of A-Z, 0-9 and _, the first a letter. */
export function isErrorCode(text: string): boolean {
  return CODE.test(text);
}
