import { TaskwireError } from "#libs/errors/taskwire-error.js";
import { TRANSPORT_REASON } from "#libs/rpc/service-error.js";

/** Whether an error means "try again": the service is UNAVAILABLE, or the connection broke without a word from it. */
export function isCut(error: unknown): boolean {
  if (!(error instanceof TaskwireError)) return false;
  if (error.code === "UNAVAILABLE") return true;
  if (error.reason !== TRANSPORT_REASON) return false;
  return error.code === "CANCELLED" || error.code === "INTERNAL" || error.code === "UNKNOWN";
}
