/**
 * What a worker says about one attempt. Shaped like `taskwire.bus.v1.Report`, so that decoded reports are claims as they are.
 */
export interface Claim {
  readonly taskId: string;
  readonly attempt: number;
  /** Counts the reports of the attempt, from 1. */
  readonly number: number;
  readonly kind?: ClaimKind | undefined;
}

/** Why an attempt did not succeed, with details as JSON text (empty: none). */
export interface AttemptErrorFact {
  readonly code: string;
  readonly message: string;
  readonly retryable: boolean;
  readonly detailsJson: string;
}

/** How far an attempt is. */
export interface ProgressFact {
  readonly fraction?: number | undefined;
  readonly current?: number | undefined;
  readonly total?: number | undefined;
  readonly message: string;
}

/** What is claimed. */
export type ClaimKind =
  | { readonly $case: "started"; readonly value: StartedClaim }
  | { readonly $case: "progress"; readonly value: ProgressFact }
  | { readonly $case: "log"; readonly value: { level: number; message: string; fieldsJson: string; capped: boolean } }
  | { readonly $case: "output"; readonly value: { name: string; text: string; offset: number; capped: boolean } }
  | { readonly $case: "cancelDelivered"; readonly value: object }
  | { readonly $case: "cancelAcknowledged"; readonly value: object }
  | { readonly $case: "cancelGraceExpired"; readonly value: { graceMs: number } }
  | { readonly $case: "softLimitReached"; readonly value: object }
  | { readonly $case: "succeeded"; readonly value: { resultJson: string; warnings: readonly AttemptErrorFact[] } }
  | { readonly $case: "failed"; readonly value: FailedClaim }
  | { readonly $case: "cancelled"; readonly value: { phase: number } }
  | { readonly $case: "released"; readonly value: ReleasedClaim };

/** A begun attempt, with the handler's own retry settings. */
export interface StartedClaim {
  readonly maxAttempts: number;
  readonly initialDelayMs?: number | undefined;
  readonly maximumDelayMs?: number | undefined;
  readonly multiplier: number;
  readonly totalTimeoutMs?: number | undefined;
  readonly retryableCodes: readonly string[];
  readonly permanentCodes: readonly string[];
}

/** An attempt that was handed back. */
export interface ReleasedClaim {
  readonly reason: string;
  readonly retryAfterMs: number;
  /** `RETRY_LATER`; anything else means `WORKER_SHUTDOWN`. */
  readonly code: string;
}

/** A failed attempt. */
export interface FailedClaim {
  readonly error?: AttemptErrorFact | undefined;
  readonly retryAfterMs?: number | undefined;
}
