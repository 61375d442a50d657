/** The canonical codes of google.rpc.Code that Taskwire uses, by name. */
export type ErrorCode =
  | "CANCELLED"
  | "UNKNOWN"
  | "INVALID_ARGUMENT"
  | "DEADLINE_EXCEEDED"
  | "NOT_FOUND"
  | "ALREADY_EXISTS"
  | "PERMISSION_DENIED"
  | "RESOURCE_EXHAUSTED"
  | "FAILED_PRECONDITION"
  | "ABORTED"
  | "OUT_OF_RANGE"
  | "UNIMPLEMENTED"
  | "INTERNAL"
  | "UNAVAILABLE"
  | "DATA_LOSS"
  | "UNAUTHENTICATED";

/** One malformed field of a request. */
export interface FieldViolation {
  /** Path in proto names, for example `task.labels["a b"]` or `requests[3].task.type`. */
  readonly field: string;
  /** What is wrong and what would be right, one sentence. */
  readonly description: string;
}

/** What a {@link TaskwireError} is made of. */
export interface TaskwireErrorOptions {
  readonly code: ErrorCode;
  /** Stable word for programs: UPPER_SNAKE, at most 63 characters. */
  readonly reason: string;
  /** For people; says what to do where that helps. */
  readonly message: string;
  readonly violations?: readonly FieldViolation[];
  /** Dynamic parts of the message again, for programs. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** How long a client should wait before it tries again. */
  readonly retryAfterMs?: number;
  /** Kept for logs; never leaves the process. */
  readonly cause?: unknown;
}

/** The one error class whose contents may reach a client. Everything else thrown becomes INTERNAL at the edge. */
export class TaskwireError extends Error {
  override readonly name = "TaskwireError";
  readonly code: ErrorCode;
  readonly reason: string;
  readonly violations: readonly FieldViolation[];
  readonly metadata: Readonly<Record<string, string>>;
  readonly retryAfterMs: number | undefined;

  constructor(options: TaskwireErrorOptions) {
    super(options.message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = options.code;
    this.reason = options.reason;
    this.violations = options.violations ?? [];
    this.metadata = options.metadata ?? {};
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** INVALID_ARGUMENT that names every violated field at once. */
export function invalidArgument(violations: readonly FieldViolation[]): TaskwireError {
  const fields = violations.map((violation) => `${violation.field}: ${violation.description}`);
  return new TaskwireError({
    code: "INVALID_ARGUMENT",
    reason: "INVALID_FIELDS",
    message: fields.length === 1 ? `${fields[0]}` : `${fields.length} fields are invalid: ${fields.join("; ")}`,
    violations,
  });
}
