import { expect } from "chai";
import fc from "fast-check";
import { applyClaim } from "#libs/tasks/decide.js";
import type { EventFact } from "#libs/tasks/event-fact.js";
import type { Moment } from "#libs/tasks/moment.js";
import { isLegalMove, isTerminal, TaskState } from "#libs/tasks/task-state.js";
import { freshTask } from "#test/unit/libs/tasks/fresh-task.js";
import { steps, takeStep } from "#test/unit/libs/tasks/random-claims.js";

const RUNS = { numRuns: 1500 };
const maxAttempts = fc.integer({ min: 1, max: 5 });

function momentAt(nowMs: number): Moment {
  return { nowMs, random: () => 0.5 };
}

/** The state after an event, told by its kind alone. */
function stateAfter(event: EventFact, before: TaskState): TaskState {
  switch (event.kind) {
    case "started":
      return TaskState.RUNNING;
    case "retryScheduled":
    case "released":
      return TaskState.PENDING;
    case "completed":
      return TaskState.COMPLETED;
    case "failed":
      return TaskState.FAILED;
    case "cancelled":
      return TaskState.CANCELLED;
    default:
      return before;
  }
}

describe("Any life of a task, whatever two workers, cancels and lost leases say in any order", () => {
  it("makes legal moves only, and events that add up to its state", () => {
    fc.assert(
      fc.property(steps, maxAttempts, (life, most) => {
        const task = freshTask({ maxAttempts: most });
        let state: TaskState = task.state;
        for (const [nowMs, step] of life.entries()) {
          for (const event of takeStep(task, step, momentAt(nowMs)).events) {
            const next = stateAfter(event, state);
            if (next !== state) expect(isLegalMove(state, next), `${state} to ${next} by ${event.kind}`).to.equal(true);
            state = next;
          }
          expect(task.state).to.equal(state);
        }
      }),
      RUNS,
    );
  });

  it("changes nothing once it is terminal", () => {
    fc.assert(
      fc.property(steps, maxAttempts, (life, most) => {
        const task = freshTask({ maxAttempts: most });
        for (const [nowMs, step] of life.entries()) {
          const before = structuredClone(task);
          const { events, verdict } = takeStep(task, step, momentAt(nowMs));
          if (!isTerminal(before.state)) continue;
          expect(task).to.deep.equal(before);
          expect(events).to.deep.equal([]);
          expect(verdict).to.be.oneOf(["stale", "duplicate", "repeated", "finished", "kept"]);
        }
      }),
      RUNS,
    );
  });

  it("changes nothing by a stale or duplicate claim but records the stale one", () => {
    fc.assert(
      fc.property(steps, maxAttempts, (life, most) => {
        const task = freshTask({ maxAttempts: most });
        for (const [nowMs, step] of life.entries()) {
          const before = structuredClone(task);
          const { events, verdict } = takeStep(task, step, momentAt(nowMs));
          if (verdict !== "stale" && verdict !== "duplicate") continue;
          expect(task).to.deep.equal(before);
          expect(events.every(({ kind }) => verdict === "stale" && kind === "staleAttemptRejected")).to.equal(true);
          expect(events.length).to.be.at.most(1);
        }
      }),
      RUNS,
    );
  });

  it("numbers attempts 1, 2, 3, … and never counts more than max_attempts", () => {
    fc.assert(
      fc.property(steps, maxAttempts, (life, most) => {
        const task = freshTask({ maxAttempts: most });
        let started = 0;
        let released = 0;
        for (const [nowMs, step] of life.entries()) {
          const { events } = takeStep(task, step, momentAt(nowMs));
          started += events.filter(({ kind }) => kind === "started").length;
          released += events.filter(({ kind }) => kind === "released").length;
          expect(task.attempt).to.equal(started);
          expect(task.uncountedAttempts).to.equal(released);
          expect(task.attempt - task.uncountedAttempts).to.be.within(0, most);
        }
      }),
      RUNS,
    );
  });

  it("has at most one terminal event, and that is its last", () => {
    fc.assert(
      fc.property(steps, maxAttempts, (life, most) => {
        const task = freshTask({ maxAttempts: most });
        const events = life.flatMap((step, nowMs) => takeStep(task, step, momentAt(nowMs)).events);
        const ends = events.flatMap(({ kind }, index) =>
          kind === "completed" || kind === "failed" || kind === "cancelled" ? [index] : [],
        );
        expect(ends).to.deep.equal(isTerminal(task.state) ? [events.length - 1] : []);
        expect(task.endTimeMs !== null).to.equal(isTerminal(task.state));
      }),
      RUNS,
    );
  });

  it("takes every claim that was applied for a duplicate or stale one when it comes again", () => {
    fc.assert(
      fc.property(steps, maxAttempts, (life, most) => {
        const task = freshTask({ maxAttempts: most });
        const applied = life.flatMap((step, nowMs) => {
          const { claim, verdict } = takeStep(task, step, momentAt(nowMs));
          return claim !== undefined && verdict === "applied" && step.what === "claim"
            ? [{ claim, by: step.worker }]
            : [];
        });
        const before = structuredClone(task);
        for (const { claim, by } of applied) {
          expect(applyClaim(task, by, claim, momentAt(1000), [])).to.be.oneOf(["stale", "duplicate"]);
          expect(task).to.deep.equal(before);
        }
      }),
      RUNS,
    );
  });

  it("ends when its attempts are used up by failures, crashes and lost leases alone", () => {
    const endings = fc.array(fc.constantFrom("failed", "expire"), { minLength: 5, maxLength: 5 });
    fc.assert(
      fc.property(endings, maxAttempts, (life, most) => {
        const task = freshTask({ maxAttempts: most });
        for (const end of life) {
          const claim = { what: "claim", worker: "worker-a", attemptShift: 1, numberShift: 1 } as const;
          takeStep(
            task,
            {
              ...claim,
              kind: {
                $case: "started",
                value: { maxAttempts: 0, multiplier: 0, retryableCodes: [], permanentCodes: [] },
              },
            },
            momentAt(0),
          );
          if (end === "expire") takeStep(task, { what: "expire", worker: "worker-a", attemptShift: 0 }, momentAt(0));
          else takeStep(task, { ...claim, attemptShift: 0, kind: { $case: "failed", value: {} } }, momentAt(0));
        }
        expect(task.state).to.equal(TaskState.FAILED);
        expect(task.attempt).to.equal(most);
      }),
      { numRuns: 200 },
    );
  });
});
