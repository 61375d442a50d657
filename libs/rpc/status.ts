import { Metadata, status as Code, type ServiceError } from "@grpc/grpc-js";
import { cutText } from "#libs/errors/error-message.js";
import { TaskwireError, type ErrorCode } from "#libs/errors/taskwire-error.js";
import type { Logger } from "#libs/log/logger.js";
import { encodeStatusDetails } from "#libs/rpc/status-details.js";

/** Where the encoded google.rpc.Status travels. */
export const STATUS_DETAILS_KEY = "grpc-status-details-bin";

/** What ends a call with an error. It is an Error because grpc-js emits it on streams. */
export type CallStatus = Pick<ServiceError, "name" | "message" | "code" | "details" | "metadata">;

const DEFAULT_RETRY_AFTER_MS = 1000;
const MAX_MESSAGE_CHARACTERS = 1024;
const MAX_ENCODED_MESSAGE_CHARACTERS = 2048;

/** The status of a {@link TaskwireError}: the one place where errors become gRPC. */
export function toCallStatus(error: TaskwireError): CallStatus {
  const code = Code[error.code];
  const message = boundedMessage(error.message);
  const waits = error.code === "RESOURCE_EXHAUSTED" || error.code === "UNAVAILABLE";
  const metadata = new Metadata();
  metadata.set(
    STATUS_DETAILS_KEY,
    encodeStatusDetails({
      code,
      message,
      reason: error.reason,
      metadata: error.metadata,
      violations: error.violations,
      retryAfterMs: error.retryAfterMs ?? (waits ? DEFAULT_RETRY_AFTER_MS : undefined),
    }),
  );
  return { name: "Error", message, code, details: message, metadata };
}

/** Makes anything thrown sendable: what is not a {@link TaskwireError} becomes INTERNAL and is logged once under its call id. */
export function asTaskwireError(
  error: unknown,
  call: { readonly callId: string; readonly method: string },
  logger: Logger,
): TaskwireError {
  if (error instanceof TaskwireError) return error;
  logger.error({ err: error, callId: call.callId, method: call.method }, "call failed unexpectedly");
  return new TaskwireError({
    code: "INTERNAL",
    reason: "INTERNAL",
    message: "internal error",
    metadata: { call_id: call.callId },
    cause: error,
  });
}

/** The canonical name of a numeric code; UNKNOWN for one that does not exist. */
export function codeName(code: number): ErrorCode {
  const name = Code[code];
  return isErrorCode(name) ? name : "UNKNOWN";
}

function isErrorCode(name: string | undefined): name is ErrorCode {
  return name !== undefined && name !== "OK";
}

/** Keeps a message within 1,024 characters and within 2 KiB as it travels, percent-encoded. */
function boundedMessage(message: string): string {
  let text = cutText(message, MAX_MESSAGE_CHARACTERS);
  for (let length = encodeURI(text).length; length > MAX_ENCODED_MESSAGE_CHARACTERS; length = encodeURI(text).length) {
    text = cutText(text, Math.floor((text.length * MAX_ENCODED_MESSAGE_CHARACTERS) / length) - 1);
  }
  return text;
}
