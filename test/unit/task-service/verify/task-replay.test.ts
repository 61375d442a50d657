import { expect } from "chai";
import fc from "fast-check";
import { TaskEvent } from "#libs/proto/gen/taskwire/v1/task_event.js";
import { TaskState } from "#libs/tasks/task-state.js";
import { compareTask, type TaskFinding } from "#task-service/verify/compare-task.js";
import type { ReplayFault } from "#task-service/verify/replayed-task.js";
import { TaskReplay } from "#task-service/verify/task-replay.js";
import { live, lives, type LivedTask } from "#test/unit/task-service/verify/lived-task.js";

const maxAttempts = fc.integer({ min: 1, max: 5 });
const deadlineMs = fc.option(fc.integer({ min: 1000, max: 2500 }), { nil: null });
const poisonous = fc.record({ maxAttempts, deadlineMs });

/** What a replay and a comparison find in a task; `without` names events that cannot be read. */
function check({ task, attempts, events }: LivedTask, sealed: readonly string[] = []): (ReplayFault | TaskFinding)[] {
  const faults: ReplayFault[] = [];
  const replay = new TaskReplay((fault) => faults.push(fault));
  for (const event of events) {
    if (sealed.includes(event.kind?.$case ?? "")) replay.applySealed(event.sequence);
    else replay.apply(event);
  }
  const resultJson = sealed.length > 0 ? undefined : task.resultJson;
  return [
    ...faults,
    ...compareTask({ task, attempts, resultJson, isOld: false }, replay.task, replay.mayHaveCompleted),
  ];
}

function copy(event: TaskEvent): TaskEvent {
  return TaskEvent.decode(TaskEvent.encode(event).finish());
}

describe("What the events of a task add up to", () => {
  it("is the task and its attempts, whatever happened to it", () => {
    fc.assert(
      fc.property(lives, poisonous, (life, overrides) => {
        expect(check(live(life, overrides))).to.deep.equal([]);
      }),
      { numRuns: 1500 },
    );
  });

  it("is the same as far as it can be read, when log lines, output and completions are sealed", () => {
    fc.assert(
      fc.property(lives, poisonous, (life, overrides) => {
        expect(check(live(life, overrides), ["log", "output", "completed"])).to.deep.equal([]);
      }),
      { numRuns: 500 },
    );
  });

  it("is something else when any field of the task is changed", () => {
    const changes = fc.constantFrom<Partial<LivedTask["task"]>>(
      { state: TaskState.COMPLETED, endTimeMs: 5 },
      { attempt: 99 },
      { uncountedAttempts: 98 },
      { workerId: "worker-z" },
      { runTimeMs: 12_345_678 },
      { startTimeMs: 3 },
      { cancelRequestTimeMs: 4 },
      { cancelReason: "another reason" },
      { progress: { message: "elsewhere" } },
      { resultJson: '"another"' },
      { error: { code: "OTHER", message: "", retryable: true, detailsJson: "" } },
      { warnings: [{ code: "OTHER", message: "", retryable: true, detailsJson: "" }] },
      { type: "test.other" },
      { queue: "other" },
    );
    fc.assert(
      fc.property(lives, changes, (life, change) => {
        const lived = live(life);
        if ("state" in change && lived.task.state === TaskState.COMPLETED) return;
        expect(check({ ...lived, task: { ...lived.task, ...change } }).map(({ kind }) => kind)).to.include(
          "task-differs",
        );
      }),
      { numRuns: 500 },
    );
  });

  it("is illegal, or something else, when the state of any event is changed", () => {
    fc.assert(
      fc.property(lives, fc.nat(), (life, seed) => {
        const lived = live(life);
        const index = seed % lived.events.length;
        const events = lived.events.map(copy);
        const event = events[index];
        if (event === undefined) return;
        event.state = Number(event.state) === TaskState.RUNNING ? TaskState.FAILED : TaskState.RUNNING;
        expect(check({ ...lived, events }).map(({ kind, what }) => `${kind} ${what}`)).to.deep.equal([
          `event-differs state of ${event.kind?.$case}`,
        ]);
      }),
      { numRuns: 300 },
    );
  });

  it("has findings when an event that moves the task is left out", () => {
    const moving = ["started", "retryScheduled", "released", "reopened", "completed", "failed", "cancelled"];
    fc.assert(
      fc.property(lives, fc.nat(), (life, seed) => {
        const lived = live(life);
        const movers = lived.events.filter(({ kind }) => moving.includes(kind?.$case ?? ""));
        const left = movers[seed % Math.max(1, movers.length)];
        if (left === undefined) return;
        expect(check({ ...lived, events: lived.events.filter((event) => event !== left) })).not.to.deep.equal([]);
      }),
      { numRuns: 300 },
    );
  });

  it("misses an attempt whose record is gone, and one that no event tells of", () => {
    fc.assert(
      fc.property(lives, (life) => {
        const lived = live(life);
        const [first, ...others] = lived.attempts;
        if (first === undefined) return;
        const number = lived.task.attempt + 1;
        const kinds = check({ ...lived, attempts: [...others, { ...first, number }] }).map(({ kind }) => kind);
        expect(kinds).to.include("attempt-surplus");
        expect(kinds.some((kind) => kind === "attempt-missing" || kind === "attempt-differs")).to.equal(true);
      }),
      { numRuns: 300 },
    );
  });
});
