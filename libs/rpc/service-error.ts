import type { ServiceError } from "@grpc/grpc-js";
import { TaskwireError, type FieldViolation } from "#libs/errors/taskwire-error.js";
import { BadRequest, ErrorInfo, RetryInfo } from "#libs/proto/gen/google/rpc/error_details.js";
import { Status as RpcStatus } from "#libs/proto/gen/google/rpc/status.js";
import { codeName, STATUS_DETAILS_KEY } from "#libs/rpc/status.js";

/** The reason of errors that did not come from a Taskwire service, for example of a lost connection. */
export const TRANSPORT_REASON = "TRANSPORT";

/**
 * The {@link TaskwireError} behind a failed call, with its reason, violations and wait. Where the service said nothing (no
 * connection, a cut stream, a proxy's answer) the reason is {@link TRANSPORT_REASON}.
 */
export function fromServiceError(error: ServiceError): TaskwireError {
  let reason = TRANSPORT_REASON;
  let metadata: Record<string, string> = {};
  let violations: readonly FieldViolation[] = [];
  let retryAfterMs: number | undefined;
  for (const { typeUrl, value } of statusDetails(error)) {
    if (typeUrl.endsWith("/google.rpc.ErrorInfo")) {
      const info = ErrorInfo.decode(value);
      reason = info.reason;
      metadata = info.metadata;
    } else if (typeUrl.endsWith("/google.rpc.BadRequest")) {
      violations = BadRequest.decode(value).fieldViolations;
    } else if (typeUrl.endsWith("/google.rpc.RetryInfo")) {
      const delay = RetryInfo.decode(value).retryDelay;
      if (delay !== undefined) retryAfterMs = delay.seconds * 1000 + delay.nanos / 1e6;
    }
  }
  return new TaskwireError({
    code: codeName(error.code),
    reason,
    message: error.details,
    violations: violations.map(({ field, description }) => ({ field, description })),
    metadata,
    cause: error,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}

/** Whether something thrown is what grpc-js throws for a failed call. */
export function isServiceError(error: unknown): error is ServiceError {
  return (
    error instanceof Error &&
    "code" in error &&
    typeof error.code === "number" &&
    "details" in error &&
    typeof error.details === "string"
  );
}

function statusDetails(error: ServiceError): RpcStatus["details"] {
  const [bytes] = error.metadata?.get(STATUS_DETAILS_KEY) ?? [];
  if (!Buffer.isBuffer(bytes)) return [];
  try {
    return RpcStatus.decode(bytes).details;
  } catch {
    return [];
  }
}
