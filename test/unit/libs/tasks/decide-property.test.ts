import { expect } from "chai";
import fc from "fast-check";
import { applyClaim } from "#libs/tasks/decide.js";
import type { EventFact } from "#libs/tasks/event-fact.js";
import { isLegalMove, isTerminal, TaskState } from "#libs/tasks/task-state.js";
import { lives, live, wishes, type LifeOutcome } from "#test/unit/libs/tasks/random-lives.js";

const RUNS = { numRuns: 1000 };

/** The state after an event, told by its kind alone. */
function stateAfter(event: EventFact, before: TaskState): TaskState {
  switch (event.kind) {
    case "started":
      return TaskState.RUNNING;
    case "retryScheduled":
    case "released":
    case "reopened":
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

function isEnd({ kind }: EventFact): boolean {
  return kind === "completed" || kind === "failed" || kind === "cancelled";
}

function forAllLives(check: (outcomes: readonly LifeOutcome[]) => void): void {
  fc.assert(
    fc.property(lives, wishes, (life, wish) => {
      const outcomes: LifeOutcome[] = [];
      live(life, wish, (outcome) => outcomes.push({ ...outcome, task: structuredClone(outcome.task) }));
      check(outcomes);
    }),
    RUNS,
  );
}

describe("Any life of a task, whatever workers, clients, clocks and lost leases do in any order", () => {
  it("makes legal moves only, opens again only when asked to, and has events that add up to its state", () => {
    forAllLives((outcomes) => {
      let state: TaskState = TaskState.PENDING;
      for (const { events, task } of outcomes) {
        for (const event of events) {
          const next = stateAfter(event, state);
          if (next !== state) expect(isLegalMove(state, next), `${state} to ${next} by ${event.kind}`).to.equal(true);
          expect(event.kind === "reopened").to.equal(isTerminal(state) && next === TaskState.PENDING);
          state = next;
        }
        expect(task.state).to.equal(state);
      }
    });
  });

  it("changes nothing once it is terminal, unless it is opened again", () => {
    forAllLives((outcomes) => {
      for (const { before, task, events, verdict } of outcomes) {
        if (!isTerminal(before.state) || verdict === "reopened") continue;
        expect(task).to.deep.equal(before);
        expect(events).to.deep.equal([]);
        expect(verdict).to.be.oneOf(["stale", "duplicate", "repeated", "finished", "kept", "completed", "waited"]);
      }
    });
  });

  it("changes nothing by a stale or duplicate claim but records the stale one", () => {
    forAllLives((outcomes) => {
      for (const { before, task, events, verdict } of outcomes) {
        if (verdict !== "stale" && verdict !== "duplicate") continue;
        expect(task).to.deep.equal(before);
        expect(events.every(({ kind }) => verdict === "stale" && kind === "staleAttemptRejected")).to.equal(true);
        expect(events.length).to.be.at.most(1);
      }
    });
  });

  it("changes nothing without an event", () => {
    forAllLives((outcomes) => {
      for (const { before, task, events } of outcomes) {
        if (events.length === 0) expect(task).to.deep.equal(before);
      }
    });
  });

  it("numbers attempts 1, 2, 3, … through all rounds, skips those that nobody spoke of, and counts at most max_attempts in each", () => {
    forAllLives((outcomes) => {
      let used = 0;
      for (const { step, events, task, verdict } of outcomes) {
        used += events.filter(({ kind }) => kind === "started").length;
        if (verdict === "expired" && "isUntaken" in step && !step.isUntaken) used += 1;
        expect(task.attempt).to.equal(used);
        expect(task.attempt - task.uncountedAttempts).to.be.within(0, task.maxAttempts);
        if (verdict === "reopened") expect(task.uncountedAttempts).to.equal(task.attempt);
      }
    });
  });

  it("ends each round with one terminal event, and has an end time exactly then", () => {
    forAllLives((outcomes) => {
      let ends = 0;
      for (const { events, task } of outcomes) {
        for (const event of events) {
          if (event.kind === "reopened") ends = 0;
          else expect(ends).to.equal(0);
          if (isEnd(event)) ends += 1;
        }
        expect(ends).to.equal(isTerminal(task.state) ? 1 : 0);
        expect(task.endTimeMs !== null).to.equal(isTerminal(task.state));
      }
    });
  });

  it("takes every claim that was applied for a duplicate or stale one when it comes again", () => {
    forAllLives((outcomes) => {
      const last = outcomes.at(-1);
      if (last === undefined) return;
      const { task } = last;
      task.endedAttempt = null;
      const before = structuredClone(task);
      for (const { claim, step, verdict } of outcomes) {
        if (claim === undefined || verdict !== "applied" || step.what !== "claim") continue;
        const moment = { nowMs: last.nowMs, random: () => 0.5 };
        expect(applyClaim(task, step.worker, claim, moment, [])).to.be.oneOf(["stale", "duplicate"]);
        expect(task).to.deep.equal(before);
      }
    });
  });
});
