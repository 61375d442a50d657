/** Bounds of one attempt. */
export interface AttemptLimits {
  /** Infinity: there is none before the hard limit. */
  readonly softTimeoutMs: number;
  readonly hardTimeoutMs: number;
  readonly memoryBytes: number;
}

/** Bounds that a task or its type may ask for; undefined or 0: it does not say. */
export type WantedLimits = { readonly [K in keyof AttemptLimits]?: number | undefined };

/** What holds where nobody says otherwise: an hour, less five minutes to end in order, and 512 MiB. */
export const DEFAULT_ATTEMPT_LIMITS: AttemptLimits = {
  softTimeoutMs: 3_300_000,
  hardTimeoutMs: 3_600_000,
  memoryBytes: 512 * 1024 * 1024,
};

/** Time from the signal of a cancel or a shutdown to the kill, milliseconds, where nobody says otherwise. */
export const DEFAULT_GRACE_MS = 5000;

/** The task's own bounds, else its type's, else the worker's. A soft limit that is not below the hard one never fires. */
export function attemptLimits(
  dispatch: WantedLimits,
  task: WantedLimits | undefined,
  defaults: AttemptLimits,
): AttemptLimits {
  const hardTimeoutMs = dispatch.hardTimeoutMs || task?.hardTimeoutMs || defaults.hardTimeoutMs;
  const softTimeoutMs = dispatch.softTimeoutMs || task?.softTimeoutMs || defaults.softTimeoutMs;
  return {
    softTimeoutMs: softTimeoutMs < hardTimeoutMs ? softTimeoutMs : Infinity,
    hardTimeoutMs,
    memoryBytes: dispatch.memoryBytes || task?.memoryBytes || defaults.memoryBytes,
  };
}
