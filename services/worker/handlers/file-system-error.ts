import { PermanentError, RetryableError } from "#libs/define-task/define-task.js";

/** Conditions that may pass by themselves: no space, no quota, no free descriptor, a failing or busy device. */
const PASSING = new Set([
  "ENOSPC",
  "EDQUOT",
  "EIO",
  "EMFILE",
  "ENFILE",
  "EAGAIN",
  "EBUSY",
  "EINTR",
  "ENOMEM",
  "ESTALE",
  "ETIMEDOUT",
  "ETXTBSY",
]);

/**
 * What a failed file operation means for a task: `FILE_NOT_FOUND` for good; `FILE_SYSTEM_ERROR`, retryable where the condition may pass
 * (ENOSPC, EIO, …) and for good otherwise (EACCES, EISDIR, …). Anything that is no file system error comes back unchanged.
 */
export function fileSystemError(error: unknown, action: "read" | "write", path: string): unknown {
  if (!(error instanceof Error && "errno" in error && "code" in error)) return error;
  const code = String(error.code);
  const details = { path, action, systemCode: code };
  if (action === "read" && (code === "ENOENT" || code === "ENOTDIR")) {
    return new PermanentError("FILE_NOT_FOUND", `${path} does not exist`, { details, cause: error });
  }
  const message = `cannot ${action} ${path}: ${code}`;
  const kind = PASSING.has(code) ? RetryableError : PermanentError;
  return new kind("FILE_SYSTEM_ERROR", message, { details, cause: error });
}
