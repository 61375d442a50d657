import type { Claim, ClaimKind } from "#libs/tasks/claim.js";
import { applyClaim } from "#libs/tasks/decide.js";
import type { EventFact } from "#libs/tasks/event-fact.js";
import type { TaskFacts } from "#libs/tasks/task-facts.js";
import { freshTask } from "#test/unit/libs/tasks/fresh-task.js";

/** The attempt begins; its handler has no settings of its own. */
export const STARTED: ClaimKind = {
  $case: "started",
  value: { maxAttempts: 0, multiplier: 0, retryableCodes: [], permanentCodes: [] },
};
/** The handler returned. */
export const SUCCEEDED: ClaimKind = { $case: "succeeded", value: { resultJson: '{"a":1}', warnings: [] } };
/** A worker that shuts down gives the attempt back. */
export const RELEASED: ClaimKind = {
  $case: "released",
  value: { reason: "shutdown", retryAfterMs: 0, code: "WORKER_SHUTDOWN" },
};

/** The handler threw. */
export function failed(retryable: boolean, retryAfterMs?: number, code = "E"): ClaimKind {
  return { $case: "failed", value: { error: { code, message: "m", retryable, detailsJson: "" }, retryAfterMs } };
}

/** A task with what happened to it. */
export class Life {
  readonly task: TaskFacts;
  readonly events: EventFact[] = [];
  readonly moment = { nowMs: 1000, random: () => 0.5 };

  constructor(overrides: Partial<TaskFacts> = {}) {
    this.task = freshTask(overrides);
  }

  says(kind: ClaimKind | undefined, at: { attempt?: number; number?: number; worker?: string } = {}): string {
    const number = at.number ?? this.task.reportNumber + 1;
    const claim: Claim = { taskId: this.task.id, attempt: at.attempt ?? this.task.attempt, number, kind };
    return applyClaim(this.task, at.worker ?? "w", claim, this.moment, this.events);
  }

  starts(attempt = this.task.attempt + 1): string {
    return this.says(STARTED, { attempt, number: 1 });
  }

  kinds(): string[] {
    return this.events.map(({ kind }) => kind);
  }
}
