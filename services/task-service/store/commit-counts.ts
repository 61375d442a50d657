import type { EventFact } from "#libs/tasks/event-fact.js";
import { OUTCOME_CODES } from "#libs/tasks/outcome-code.js";
import type { TaskRecord } from "#task-service/store/task-record.js";

/** What is counted: alone, by code, or by queue. */
export const Counted = {
  /** Reports that became facts. */
  REPORTS: 0,
  /** Reports that were refused because their worker does not hold the attempt. */
  STALE_REPORTS: 1,
  LEASES_EXPIRED: 2,
  /** Ended attempts by code: `COMPLETED`, `HANDLER` or one of Taskwire's own. */
  ATTEMPTS: 3,
  /** Failed tasks by code. */
  FAILURES: 4,
  /** From here on by queue. */
  CREATED: 5,
  REOPENED: 6,
  STARTED: 7,
  ENDED: 8,
  COMPLETED: 9,
  FAILED: 10,
  CANCELLED: 11,
} as const;

/** One of the values of {@link Counted}. */
export type Counted = (typeof Counted)[keyof typeof Counted];

/** How many values {@link Counted} has. */
export const COUNTED_KINDS = Object.keys(Counted).length;

/**
 * What one commit adds to the counts of the process; for metrics. One flat list of what is counted, of which code or queue (empty: alone),
 * and how many, again and again: objects within objects would take longer from thread to thread.
 */
export type CommitCounts = readonly (number | string)[];

const OWN_CODES: ReadonlySet<string> = new Set(OUTCOME_CODES);

/** Counts what happens in one transaction. */
export class CommitTally {
  readonly #counts: (Map<string, number> | undefined)[] = [];

  /** Counts one, `of` a code or queue. */
  add(counted: Counted, of = ""): void {
    const counts = (this.#counts[counted] ??= new Map<string, number>());
    counts.set(of, (counts.get(of) ?? 0) + 1);
  }

  /** Counts an event. `wasRunning`: the task had an attempt under way before it. */
  count(task: TaskRecord, fact: EventFact, wasRunning: boolean): void {
    const { queue } = task;
    switch (fact.kind) {
      case "created":
        this.add(Counted.CREATED, queue);
        break;
      case "reopened":
        this.add(Counted.REOPENED, queue);
        break;
      case "started":
        this.add(Counted.STARTED, queue);
        break;
      case "completed":
        this.add(Counted.COMPLETED, queue);
        this.#end(queue, "COMPLETED");
        break;
      case "retryScheduled":
        this.#end(queue, boundedCode(fact.error.code));
        break;
      case "released":
        this.#end(queue, boundedCode(fact.code));
        break;
      case "failed":
        this.add(Counted.FAILED, queue);
        this.add(Counted.FAILURES, boundedCode(fact.error.code));
        // The task can have failed with another code than its last attempt: `POISONED`, `TOTAL_TIMEOUT`.
        if (wasRunning) this.#end(queue, boundedCode((task.endedAttempt?.error ?? fact.error).code));
        break;
      case "cancelled":
        this.add(Counted.CANCELLED, queue);
        if (wasRunning) this.#end(queue, "CANCELLED");
        break;
      case "progress":
      case "log":
      case "output":
      case "cancelRequested":
      case "cancelDelivered":
      case "cancelAcknowledged":
      case "cancelGraceExpired":
      case "softLimitReached":
      case "staleAttemptRejected":
        break;
    }
  }

  /** What was counted. */
  counts(): CommitCounts {
    const flat: (number | string)[] = [];
    for (const [counted, counts] of this.#counts.entries())
      for (const [of, count] of counts ?? []) flat.push(counted, of, count);
    return flat;
  }

  #end(queue: string, code: string): void {
    this.add(Counted.ENDED, queue);
    this.add(Counted.ATTEMPTS, code);
  }
}

/** A code from a closed set: handlers can invent any number of their own. */
function boundedCode(code: string): string {
  return OWN_CODES.has(code) ? code : "HANDLER";
}
