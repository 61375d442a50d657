import fc from "fast-check";
import type { Claim, ClaimKind } from "#libs/tasks/claim.js";
import { applyClaim, requestCancel, type ClaimVerdict } from "#libs/tasks/decide.js";
import type { EventFact } from "#libs/tasks/event-fact.js";
import type { Moment } from "#libs/tasks/moment.js";
import type { TaskFacts } from "#libs/tasks/task-facts.js";
import { expireLease } from "#libs/tasks/upkeep-decisions.js";

/** Something that happens to a task; attempts and report numbers are told apart from where the task stands then. */
export type Step =
  | {
      readonly what: "claim";
      readonly worker: string;
      readonly attemptShift: number;
      readonly numberShift: number;
      readonly kind: ClaimKind;
    }
  | { readonly what: "cancel"; readonly mayBeWithWorker: boolean }
  | { readonly what: "expire"; readonly worker: string; readonly attemptShift: number };

const worker = fc.constantFrom("worker-a", "worker-b");
const errorFact = fc.record({
  code: fc.constantFrom("HANDLER_ERROR", "CRASHED", "OUT_OF_MEMORY"),
  message: fc.string({ maxLength: 10 }),
  retryable: fc.boolean(),
  detailsJson: fc.constant(""),
});

/** Anything a worker can say. */
export const claimKind: fc.Arbitrary<ClaimKind> = fc.oneof(
  fc.record({
    $case: fc.constant("started" as const),
    value: fc.record({
      maxAttempts: fc.nat(5),
      multiplier: fc.constantFrom(0, 1.5),
      totalTimeoutMs: fc.constantFrom(undefined, undefined, 0, 500, 100_000),
      retryableCodes: fc.constantFrom([], [], ["HANDLER_ERROR", "WORKER_LOST"]),
      permanentCodes: fc.constantFrom([], [], ["OUT_OF_MEMORY"]),
    }),
  }),
  fc.constant<ClaimKind>({ $case: "progress", value: { fraction: 0.5, message: "half" } }),
  fc.constant<ClaimKind>({ $case: "log", value: { level: 2, message: "line", fieldsJson: "", capped: false } }),
  fc.constant<ClaimKind>({ $case: "output", value: { name: "output", text: "x", offset: 0, capped: false } }),
  fc.constant<ClaimKind>({ $case: "cancelDelivered", value: {} }),
  fc.constant<ClaimKind>({ $case: "cancelAcknowledged", value: {} }),
  fc.constant<ClaimKind>({ $case: "cancelGraceExpired", value: { graceMs: 5 } }),
  fc.constant<ClaimKind>({ $case: "softLimitReached", value: {} }),
  fc.record({
    $case: fc.constant("succeeded" as const),
    value: fc.record({
      resultJson: fc.constantFrom("1", '{"a":[null]}'),
      warnings: fc.array(errorFact, { maxLength: 2 }),
    }),
  }),
  fc.record({
    $case: fc.constant("failed" as const),
    value: fc.record({
      error: fc.option(errorFact, { nil: undefined, freq: 9 }),
      retryAfterMs: fc.option(fc.nat(1000), { nil: undefined }),
    }),
  }),
  fc.record({ $case: fc.constant("cancelled" as const), value: fc.record({ phase: fc.nat(4) }) }),
  fc.record({
    $case: fc.constant("released" as const),
    value: fc.record({
      reason: fc.constant("shutdown"),
      retryAfterMs: fc.nat(1000),
      code: fc.constantFrom("RETRY_LATER", "WORKER_SHUTDOWN"),
    }),
  }),
);

/** Mostly the claim that comes next, else a stale, early, repeated or reordered one. */
const attemptShift = fc.oneof(
  { weight: 4, arbitrary: fc.constant(0) },
  { weight: 3, arbitrary: fc.constant(1) },
  { weight: 1, arbitrary: fc.constantFrom(-2, -1, 2) },
);

/** What two workers say, stale, duplicate and reordered claims among it; cancels and lost leases. */
export const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      what: fc.constant("claim" as const),
      worker,
      attemptShift,
      numberShift: fc.constantFrom(-1, 0, 1, 1, 1, 2),
      kind: claimKind,
    }),
  },
  { weight: 1, arbitrary: fc.record({ what: fc.constant("cancel" as const), mayBeWithWorker: fc.boolean() }) },
  {
    weight: 1,
    arbitrary: fc.record({
      what: fc.constant("expire" as const),
      worker,
      attemptShift: fc.constantFrom(-1, 0, 0, 1),
    }),
  },
);

/** One long random round of a task's life. */
export const steps: fc.Arbitrary<Step[]> = fc.array(step, { maxLength: 60 });

const NEVER_POISONED = 1000;

/** What came of one step. */
export interface StepOutcome {
  readonly verdict: ClaimVerdict | "accepted" | "repeated" | "finished" | "expired" | "kept";
  readonly events: readonly EventFact[];
  /** The claim that was made, if the step was one. */
  readonly claim: Claim | undefined;
}

/** Takes one step. */
export function takeStep(task: TaskFacts, step: Step, moment: Moment): StepOutcome {
  const events: EventFact[] = [];
  switch (step.what) {
    case "claim": {
      const number = Math.max(1, task.reportNumber + step.numberShift);
      const claim = { taskId: task.id, attempt: task.attempt + step.attemptShift, number, kind: step.kind };
      return { verdict: applyClaim(task, step.worker, claim, moment, events), events, claim };
    }
    case "cancel":
      return {
        verdict: requestCancel(task, "enough", step.mayBeWithWorker, moment, events),
        events,
        claim: undefined,
      };
    case "expire": {
      const isExpired = expireLease(
        task,
        { workerId: step.worker, attempt: task.attempt + step.attemptShift },
        NEVER_POISONED,
        moment,
        events,
      );
      return { verdict: isExpired ? "expired" : "kept", events, claim: undefined };
    }
  }
}
