/** Marks the errors below, so that a second copy of this package in a project is recognised too. */
export const THROWN_KIND = Symbol.for("taskwire.thrown-kind");

/** More about a failure. */
export interface FailureOptions {
  /** More facts; at most 8 KiB as JSON, else left out. */
  readonly details?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
}

/** More about a failure that another attempt may repair. */
export interface RetryableOptions extends FailureOptions {
  /** Milliseconds until the next attempt, [0, 24 h]; default: the retry policy decides. */
  readonly retryAfterMs?: number;
}

/** The code of everything thrown without a usable code of its own. */
export const HANDLER_ERROR = "HANDLER_ERROR";

abstract class CodedFailure extends Error {
  /** UPPER_SNAKE, at most 63 characters. */
  readonly code: string;
  readonly details: Readonly<Record<string, unknown>> | undefined;

  protected constructor(code: string, message: string, options: FailureOptions) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.details = options.details;
  }
}

/**
 * Fails the task at once; no further attempt follows.
 *
 * `new PermanentError("NO_SUCH_USER", "the user is gone", { details })`, or with a message alone. Codes are UPPER_SNAKE, at most
 * 63 characters; any other code, and the codes that only Taskwire may use, become `HANDLER_ERROR`.
 */
export class PermanentError extends CodedFailure {
  override readonly name = "PermanentError";
  readonly [THROWN_KIND] = "permanent";

  constructor(message: string, options?: FailureOptions);
  constructor(code: string, message: string, options?: FailureOptions);
  constructor(first: string, second?: string | FailureOptions, third?: FailureOptions) {
    if (typeof second === "string") super(first, second, third ?? {});
    else super(HANDLER_ERROR, first, second ?? {});
  }
}

/** Fails the attempt; another one follows if any is left. Like anything else thrown, but with a code, details and a wish for when. */
export class RetryableError extends CodedFailure {
  override readonly name = "RetryableError";
  readonly [THROWN_KIND] = "retryable";
  readonly retryAfterMs: number | undefined;

  constructor(message: string, options?: RetryableOptions);
  constructor(code: string, message: string, options?: RetryableOptions);
  constructor(first: string, second?: string | RetryableOptions, third?: RetryableOptions) {
    const options = (typeof second === "string" ? third : second) ?? {};
    if (typeof second === "string") super(first, second, options);
    else super(HANDLER_ERROR, first, options);
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** Gives the attempt back: it does not count, and the task is due again after `delayMs` milliseconds, [0, 24 h]. */
export class RetryLater extends Error {
  override readonly name = "RetryLater";
  readonly [THROWN_KIND] = "retry-later";

  constructor(
    readonly delayMs: number,
    message = "the handler asked to be run later",
  ) {
    super(message);
  }
}

/** Something that went wrong without failing the task. */
export interface Warning {
  /** UPPER_SNAKE, at most 63 characters; default `WARNING`. */
  readonly code?: string;
  /** At most 500 characters. */
  readonly message: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

/** Completes the task with a result and recorded warnings; the first 20 are kept. */
export class PartialFailure extends Error {
  override readonly name = "PartialFailure";
  readonly [THROWN_KIND] = "partial";
  readonly warnings: readonly Warning[];

  constructor(
    readonly result: unknown,
    warnings: readonly (Warning | string)[],
  ) {
    super(`completed with ${warnings.length} warning${warnings.length === 1 ? "" : "s"}`);
    this.warnings = warnings.map((warning) => (typeof warning === "string" ? { message: warning } : warning));
  }
}

/** Why a handler's signal fired. */
export type AbortCause = "cancelled" | "soft-timeout" | "shutdown" | "abandoned";

/** The reason of a handler's signal. Its name is `AbortError`, which fetch, streams and timers pass on unchanged. */
export class TaskAborted extends Error {
  override readonly name = "AbortError";

  constructor(
    readonly abortCause: AbortCause,
    message: string,
  ) {
    super(message);
  }
}
