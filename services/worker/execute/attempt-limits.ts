import type { DispatchTask } from "#libs/proto/gen/taskwire/bus/v1/dispatch.js";
import type { DescribedTask } from "#worker/isolate/protocol.js";

/** Bounds of one attempt. */
export interface AttemptLimits {
  /** Infinity: there is none before the hard limit. */
  readonly softTimeoutMs: number;
  readonly hardTimeoutMs: number;
  readonly memoryBytes: number;
}

/** The task's own bounds, else its type's, else the worker's. A soft limit that is not below the hard one never fires. */
export function attemptLimits(
  dispatch: DispatchTask,
  task: DescribedTask | undefined,
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
