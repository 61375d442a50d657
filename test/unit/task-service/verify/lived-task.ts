import fc from "fast-check";
import { TaskEvent } from "#libs/proto/gen/taskwire/v1/task_event.js";
import type { EventFact } from "#libs/tasks/event-fact.js";
import type { TaskFacts } from "#libs/tasks/task-facts.js";
import { TaskState } from "#libs/tasks/task-state.js";
import { endAskedCancel, expireDeadline, expireLease, reopen } from "#libs/tasks/upkeep-decisions.js";
import { attemptOf } from "#task-service/store/attempt-history.js";
import { encodeEvent } from "#task-service/store/event-body.js";
import type { AttemptRecord, TaskRecord } from "#task-service/store/task-record.js";
import { freshTask } from "#test/unit/libs/tasks/fresh-task.js";
import { steps, takeStep, type Step } from "#test/unit/libs/tasks/random-claims.js";

/** A step of a life with everything that can happen to a task besides claims, cancels and lost leases. */
export type LifeStep =
  | Step
  | { readonly what: "reopen" }
  | { readonly what: "deadline"; readonly isUntaken: boolean }
  | { readonly what: "unheard" }
  | { readonly what: "poison" };

const roundEnd = fc.constantFrom<LifeStep>(
  { what: "reopen" },
  { what: "deadline", isUntaken: true },
  { what: "deadline", isUntaken: false },
  { what: "unheard" },
  { what: "poison" },
);

/** Long random lives, several rounds of attempts each. */
export const lives: fc.Arbitrary<LifeStep[]> = fc
  .array(fc.tuple(steps, roundEnd), { minLength: 1, maxLength: 5 })
  .map((rounds) => rounds.flatMap(([round, end]) => [...round, end]));

/** A task as a store would have it after a life: its row, the attempts it recorded, and its events. */
export interface LivedTask {
  readonly task: TaskRecord;
  readonly attempts: readonly AttemptRecord[];
  readonly events: readonly TaskEvent[];
}

/** Lets the project's decisions make a life, and keeps what a store keeps of it. */
export function live(life: readonly LifeStep[], overrides: Partial<TaskFacts> = {}): LivedTask {
  const task = recordOf(freshTask(overrides));
  const attempts = new Map<number, AttemptRecord>();
  const events: TaskEvent[] = [];
  let nowMs = 1000;
  const note = (facts: readonly EventFact[]) => {
    for (const fact of facts) {
      task.sequence += 1;
      events.push(eventOf(task, fact, nowMs));
    }
    const ended = task.endedAttempt === null ? undefined : attemptOf(task, nowMs);
    task.endedAttempt = null;
    if (ended !== undefined && !attempts.has(ended.number)) attempts.set(ended.number, ended);
  };
  note([{ kind: "created", type: task.type, queue: task.queue, runTimeMs: task.runTimeMs }]);
  for (const step of life) {
    nowMs += 7;
    const moment = { nowMs, random: () => 0.5 };
    const facts: EventFact[] = [];
    if (step.what === "reopen") {
      const before = attemptOf({ ...task }, nowMs);
      if (reopen(task, moment, facts) === "reopened" && before !== undefined && !attempts.has(before.number))
        attempts.set(before.number, before);
      note(facts);
    } else if (step.what === "deadline") {
      expireDeadline(task, step.isUntaken, { ...moment, nowMs: nowMs + 1_000_000 }, facts);
      // The decision was made with a later clock than the events carry; bring its times back.
      if (facts.length > 0) task.endTimeMs = nowMs;
      note(facts);
    } else if (step.what === "unheard") {
      endAskedCancel(task, false, moment, facts);
      note(facts);
    } else if (step.what === "poison") {
      expireLease(task, { workerId: task.workerId ?? "", attempt: task.attempt }, task.workerLosses + 1, moment, facts);
      note(facts);
    } else note(takeStep(task, step, moment).events);
  }
  return { task, attempts: [...attempts.values()], events };
}

function recordOf(facts: TaskFacts): TaskRecord {
  return {
    ...facts,
    key: 1,
    type: "test.type",
    queue: "default",
    priority: 0,
    payloadJson: "",
    labels: {},
    description: "",
    createTimeMs: 1000,
    updateTimeMs: 1000,
    sequence: 0,
    softTimeoutMs: 0,
    hardTimeoutMs: 0,
    memoryBytes: 0,
    unwatchedCancelMs: null,
    webhookJson: null,
  };
}

/** The event as a store writes it: encoded and read again. */
function eventOf(task: TaskRecord, fact: EventFact, timeMs: number): TaskEvent {
  const { id: taskId, sequence, attempt } = task;
  return TaskEvent.decode(
    encodeEvent({ revision: sequence, sequence, taskId, timeMs, state: stateAfter(fact, task.state), attempt }, fact),
  );
}

function stateAfter({ kind }: EventFact, state: TaskState): TaskState {
  if (kind === "created" || kind === "retryScheduled" || kind === "released" || kind === "reopened")
    return TaskState.PENDING;
  if (kind === "completed") return TaskState.COMPLETED;
  if (kind === "failed") return TaskState.FAILED;
  if (kind === "cancelled") return TaskState.CANCELLED;
  if (kind === "cancelRequested" || kind === "staleAttemptRejected")
    return state >= TaskState.COMPLETED ? TaskState.PENDING : state;
  return TaskState.RUNNING;
}
