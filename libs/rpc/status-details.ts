import { cutText } from "#libs/errors/error-message.js";
import type { FieldViolation } from "#libs/errors/taskwire-error.js";
import type { Any } from "#libs/proto/gen/google/protobuf/any.js";
import { BadRequest, ErrorInfo, RetryInfo } from "#libs/proto/gen/google/rpc/error_details.js";
import { Status as RpcStatus } from "#libs/proto/gen/google/rpc/status.js";
import { encodeMessage, type MessageCodec } from "#libs/rpc/message-codec.js";

/** The domain of every ErrorInfo that Taskwire sends. */
const ERROR_DOMAIN = "taskwire";

/** Longest encoded google.rpc.Status, bytes. With the text beside it this stays below the 8 KiB that C-core clients accept. */
const MAX_RICH_STATUS_BYTES = 4096;

const MAX_METADATA_BYTES = 1024;
const MAX_FIELD_CHARACTERS = 200;
const MAX_DESCRIPTION_CHARACTERS = 300;
const VIOLATION_OVERHEAD_BYTES = 12;
const REST_NOTE_BYTES = 80;

/** What a rich status says. */
export interface StatusDetails {
  /** Number of the canonical code. */
  readonly code: number;
  readonly message: string;
  readonly reason: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly violations: readonly FieldViolation[];
  readonly retryAfterMs: number | undefined;
}

/** Encodes google.rpc.Status with ErrorInfo, BadRequest when fields are named, RetryInfo when a wait is; at most 4 KiB. */
export function encodeStatusDetails(status: StatusDetails): Buffer {
  const details = [
    pack("google.rpc.ErrorInfo", ErrorInfo, {
      reason: status.reason,
      domain: ERROR_DOMAIN,
      metadata: boundedMetadata(status.metadata),
    }),
  ];
  if (status.retryAfterMs !== undefined) {
    const seconds = Math.trunc(status.retryAfterMs / 1000);
    const nanos = Math.round((status.retryAfterMs - seconds * 1000) * 1e6);
    details.push(pack("google.rpc.RetryInfo", RetryInfo, { retryDelay: { seconds, nanos } }));
  }
  if (status.violations.length > 0) {
    const used = encodeMessage(RpcStatus, { code: status.code, message: status.message, details }).length;
    const fieldViolations = boundedViolations(status.violations, MAX_RICH_STATUS_BYTES - used - REST_NOTE_BYTES);
    details.push(pack("google.rpc.BadRequest", BadRequest, { fieldViolations }));
  }
  return encodeMessage(RpcStatus, { code: status.code, message: status.message, details });
}

function pack<T>(name: string, codec: MessageCodec<T>, message: T): Any {
  return { typeUrl: `type.googleapis.com/${name}`, value: encodeMessage(codec, message) };
}

function boundedMetadata(metadata: Readonly<Record<string, string>>): Record<string, string> {
  const bounded: Record<string, string> = {};
  let bytes = 0;
  for (const [key, value] of Object.entries(metadata)) {
    const text = cutText(value, MAX_FIELD_CHARACTERS);
    bytes += Buffer.byteLength(key) + Buffer.byteLength(text) + VIOLATION_OVERHEAD_BYTES;
    if (bytes > MAX_METADATA_BYTES) break;
    bounded[key.toWellFormed()] = text;
  }
  return bounded;
}

function boundedViolations(violations: readonly FieldViolation[], budget: number): BadRequest["fieldViolations"] {
  const bounded: BadRequest["fieldViolations"] = [];
  let left = budget - VIOLATION_OVERHEAD_BYTES;
  for (const violation of violations) {
    const field = cutText(violation.field, MAX_FIELD_CHARACTERS);
    const description = cutText(violation.description, MAX_DESCRIPTION_CHARACTERS);
    left -= Buffer.byteLength(field) + Buffer.byteLength(description) + VIOLATION_OVERHEAD_BYTES;
    if (left < 0) {
      bounded.push(fieldViolation("", `${violations.length - bounded.length} more fields are invalid`));
      break;
    }
    bounded.push(fieldViolation(field, description));
  }
  return bounded;
}

function fieldViolation(field: string, description: string): BadRequest["fieldViolations"][number] {
  return { field, description, reason: "", localizedMessage: undefined };
}
