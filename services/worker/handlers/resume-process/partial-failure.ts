import type { Warning } from "#libs/define-task/task-errors.js";

/** Where what went wrong is noted, and what is not caught. */
export interface PartialOptions {
  readonly warnings: Warning[];
  readonly signal: AbortSignal;
}

/**
 * Runs a part that may fail without failing the whole: its error becomes a warning with this code, and null stands for its value. Of the
 * error, the warning tells its code and its `reason`, nothing that it says. Rejects with the signal's reason only.
 */
export async function partialFailure<T>(
  code: string,
  message: string,
  { warnings, signal }: PartialOptions,
  work: () => Promise<T>,
): Promise<T | null> {
  try {
    return await work();
  } catch (error) {
    signal.throwIfAborted();
    const reason = reasonOf(error);
    warnings.push({ code, message: `${message}: ${reason}`, details: { reason } });
    return null;
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return "unknown";
  const details: unknown = Reflect.get(error, "details");
  const reason: unknown = typeof details === "object" && details !== null ? Reflect.get(details, "reason") : undefined;
  const code: unknown = Reflect.get(error, "code");
  return [reason, code].find((text): text is string => typeof text === "string") ?? "unknown";
}
