import fc from "fast-check";
import type { EventFact } from "#libs/tasks/event-fact.js";
import type { TaskFacts } from "#libs/tasks/task-facts.js";
import { endAskedCancel, expireDeadline, expireLease, reopen } from "#libs/tasks/upkeep-decisions.js";
import { freshTask } from "#test/unit/libs/tasks/fresh-task.js";
import { step as roundStep, takeStep, type Step, type StepOutcome } from "#test/unit/libs/tasks/random-claims.js";

/** Something that happens to a task, in any of its rounds of attempts. */
export type LifeStep =
  | Step
  | { readonly what: "wait"; readonly ms: number }
  | { readonly what: "reopen" }
  | { readonly what: "overdue"; readonly isUntaken: boolean }
  /** A cancel that nobody answers is ended. */
  | { readonly what: "unheard"; readonly isUntaken: boolean }
  /** The worker that has the task is lost. */
  | { readonly what: "lose" };

/** A task that loses so many workers in a row is poisoned. */
export const POISON_LOSSES = 3;

/** What came of one step. */
export interface LifeOutcome {
  readonly step: LifeStep;
  readonly verdict: StepOutcome["verdict"] | ReturnType<typeof reopen> | "waited";
  readonly events: readonly EventFact[];
  readonly claim: StepOutcome["claim"];
  readonly before: TaskFacts;
  /** The task now, with what its decision told the store of an ended attempt. */
  readonly task: TaskFacts;
  readonly nowMs: number;
}

/** Long random lives of several rounds, with time passing. */
export const lives: fc.Arbitrary<LifeStep[]> = fc.array(
  fc.oneof(
    { weight: 14, arbitrary: roundStep },
    { weight: 2, arbitrary: fc.record({ what: fc.constant("wait" as const), ms: fc.constantFrom(1, 50, 400, 3000) }) },
    { weight: 2, arbitrary: fc.constant<LifeStep>({ what: "reopen" }) },
    { weight: 1, arbitrary: fc.record({ what: fc.constant("overdue" as const), isUntaken: fc.boolean() }) },
    { weight: 1, arbitrary: fc.record({ what: fc.constant("unheard" as const), isUntaken: fc.boolean() }) },
    { weight: 3, arbitrary: fc.constant<LifeStep>({ what: "lose" }) },
  ),
  { maxLength: 120 },
);

/** What a creator can ask for that decides how a life goes. */
export const wishes: fc.Arbitrary<Partial<TaskFacts>> = fc.record({
  maxAttempts: fc.integer({ min: 1, max: 5 }),
  initialDelayMs: fc.constantFrom(null, 0, 100),
  retryCodes: fc.constantFrom(null, null, { retryable: [], permanent: ["CRASHED"] }),
  totalTimeoutMs: fc.constantFrom(null, null, 0, 1000),
});

/** Lives a life; `look` is shown every step of it. */
export function live(life: readonly LifeStep[], wish: Partial<TaskFacts>, look: (outcome: LifeOutcome) => void): void {
  const startMs = 1000;
  const deadlineMs = wish.totalTimeoutMs ? startMs + wish.totalTimeoutMs : null;
  const task = freshTask({ ...wish, runTimeMs: startMs, deadlineMs });
  let nowMs = startMs;
  for (const step of life) {
    if (step.what === "wait") nowMs += step.ms;
    const before = structuredClone(task);
    const outcome = take(task, step, nowMs);
    look({ ...outcome, step, before, task, nowMs });
    // As the store does once it has recorded the attempt.
    task.endedAttempt = null;
  }
}

function take(task: TaskFacts, step: LifeStep, nowMs: number): Pick<LifeOutcome, "verdict" | "events" | "claim"> {
  const moment = { nowMs, random: () => 0.5 };
  const events: EventFact[] = [];
  const claim = undefined;
  switch (step.what) {
    case "wait":
      return { verdict: "waited", events, claim };
    case "reopen":
      return { verdict: reopen(task, moment, events), events, claim };
    case "overdue":
      return { verdict: expireDeadline(task, step.isUntaken, moment, events) ? "expired" : "kept", events, claim };
    case "unheard":
      return { verdict: endAskedCancel(task, step.isUntaken, moment, events) ? "expired" : "kept", events, claim };
    case "lose": {
      const lost = { workerId: task.workerId ?? "", attempt: task.attempt };
      return { verdict: expireLease(task, lost, POISON_LOSSES, moment, events) ? "expired" : "kept", events, claim };
    }
    default:
      return takeStep(task, step, moment);
  }
}
