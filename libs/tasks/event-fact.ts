import type { AttemptErrorFact, ProgressFact } from "#libs/tasks/claim.js";

/** How far a cancelled task was; the numbers of `taskwire.v1.TaskCancelled.Phase`. */
export const CancelPhase = { BEFORE_START: 1, COOPERATIVE: 2, KILLED: 3, WORKER_LOST: 4 } as const;

/** One of the values of {@link CancelPhase}. */
export type CancelPhase = (typeof CancelPhase)[keyof typeof CancelPhase];

/** Whether a task ends with it. */
export function isTerminalFact({ kind }: EventFact): boolean {
  return kind === "completed" || kind === "failed" || kind === "cancelled";
}

/** What happened to a task, before it has a sequence and a revision. Payloads and results are JSON text here. */
export type EventFact =
  | { readonly kind: "created"; readonly type: string; readonly queue: string; readonly runTimeMs: number }
  | { readonly kind: "started"; readonly workerId: string; readonly maxAttempts: number }
  | { readonly kind: "progress"; readonly progress: ProgressFact }
  | {
      readonly kind: "log";
      readonly level: number;
      readonly message: string;
      readonly fieldsJson: string;
      readonly capped: boolean;
    }
  | {
      readonly kind: "output";
      readonly name: string;
      readonly text: string;
      readonly offset: number;
      readonly capped: boolean;
    }
  | { readonly kind: "retryScheduled"; readonly error: AttemptErrorFact; readonly runTimeMs: number }
  | { readonly kind: "cancelRequested"; readonly reason: string }
  | { readonly kind: "cancelDelivered"; readonly workerId: string }
  | { readonly kind: "cancelAcknowledged" }
  | { readonly kind: "cancelGraceExpired"; readonly graceMs: number }
  | { readonly kind: "softLimitReached" }
  | { readonly kind: "released"; readonly reason: string; readonly code: string; readonly runTimeMs: number }
  | { readonly kind: "reopened"; readonly runTimeMs: number }
  | { readonly kind: "staleAttemptRejected"; readonly workerId: string; readonly reportedAttempt: number }
  | { readonly kind: "completed"; readonly resultJson: string; readonly warnings: readonly AttemptErrorFact[] }
  | { readonly kind: "failed"; readonly error: AttemptErrorFact }
  | { readonly kind: "cancelled"; readonly phase: CancelPhase; readonly reason: string };
