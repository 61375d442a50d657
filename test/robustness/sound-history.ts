import { TaskAttempt_Outcome as Outcome, type TaskAttempt, type TaskError } from "#libs/proto/gen/taskwire/v1/task.js";
import { TaskCancelled_Phase as Phase, type TaskEvent } from "#libs/proto/gen/taskwire/v1/task_event.js";
import { TaskState } from "#libs/tasks/task-state.js";
import type { JournalEvent, JournalLine } from "#test/robustness/effect-journal.js";
import type { CallRecord, FinalTask, RunHistory, StreamRecord, TaskSnapshot } from "#test/robustness/history.js";
import { soundWatches } from "#test/robustness/watches/sound-watches.js";
import type { TaskConstants } from "#test/robustness/watches/watch-history.js";
import { seenEvent } from "#test/robustness/record-task.js";

/** A history that may be changed. */
export type Mutable<T> = T extends (infer M)[]
  ? Mutable<M>[]
  : T extends readonly (infer M)[]
    ? Mutable<M>[]
    : T extends Date
      ? T
      : T extends object
        ? { -readonly [K in keyof T]: Mutable<T[K]> }
        : T;

export const DONE = "done";
export const STOPPED = "stopped";
export const TALKER = "talker";
export const FIRST_TOKEN = "aaaaaaaaaaaaaaa1";
export const SECOND_TOKEN = "aaaaaaaaaaaaaaa2";
export const STOPPED_TOKEN = "bbbbbbbbbbbbbbb1";
const TALKER_TOKEN = "ccccccccccccccc1";
/** When watchers saw the end of the tasks. */
export const SEEN_MS = 2000;

const { PENDING, RUNNING, COMPLETED, CANCELLED } = TaskState;
const WORKERS = [
  { workerId: "w1", pid: 11 },
  { workerId: "w2", pid: 12 },
];

type Kind = NonNullable<TaskEvent["kind"]>;

/**
 * A small history in which every promise is held: task `done` fails at w1 and completes at w2, task `stopped` is cancelled while it runs
 * at w1, task `talker` tells of its progress. Tests break it in one place at a time.
 */
export function soundHistory(): Mutable<RunHistory> {
  const error: TaskError = {
    code: "CHAOS",
    message: `failed on purpose ${FIRST_TOKEN}`,
    retryable: true,
    details: undefined,
  };
  const result = { attempt: 2, token: SECOND_TOKEN };
  const done = events(DONE, 100, [
    [0, PENDING, { $case: "created", value: { type: "t", queue: "default", runTime: undefined } }],
    [1, RUNNING, { $case: "started", value: { workerId: "w1", maxAttempts: 2 } }],
    [1, PENDING, { $case: "retryScheduled", value: { error, runTime: undefined } }],
    [2, RUNNING, { $case: "started", value: { workerId: "w2", maxAttempts: 2 } }],
    [2, COMPLETED, { $case: "completed", value: { result, resultOmitted: false, warnings: [] } }],
  ]);
  const stopped = events(STOPPED, 200, [
    [0, PENDING, { $case: "created", value: { type: "t", queue: "default", runTime: undefined } }],
    [1, RUNNING, { $case: "started", value: { workerId: "w1", maxAttempts: 1 } }],
    [1, RUNNING, { $case: "cancelRequested", value: { reason: "" } }],
    [1, CANCELLED, { $case: "cancelled", value: { phase: Phase.COOPERATIVE, reason: "" } }],
  ]);
  const said = { attempt: 1, token: TALKER_TOKEN };
  const talker = events(TALKER, 400, [
    [0, PENDING, { $case: "created", value: { type: "t", queue: "default", runTime: undefined } }],
    [1, RUNNING, { $case: "started", value: { workerId: "w1", maxAttempts: 1 } }],
    [1, RUNNING, { $case: "progress", value: { current: 1, message: TALKER_TOKEN } }],
    [1, RUNNING, { $case: "progress", value: { current: 2, message: TALKER_TOKEN } }],
    [1, RUNNING, { $case: "output", value: { name: "", text: TALKER_TOKEN, offset: 0, capped: false } }],
    [1, RUNNING, { $case: "progress", value: { current: 3, message: TALKER_TOKEN } }],
    [1, COMPLETED, { $case: "completed", value: { result: said, resultOmitted: false, warnings: [] } }],
  ]);
  const doneEnd = snapshot(DONE, 1, COMPLETED, 2, 5, {
    workerId: "w2",
    result: JSON.stringify(result),
    maxAttempts: 2,
  });
  const stoppedEnd = snapshot(STOPPED, 2, CANCELLED, 1, 4, {
    workerId: "w1",
    isCancelRequested: true,
    errorCode: "CANCELLED",
  });
  const finals: FinalTask[] = [
    {
      snapshot: doneEnd,
      constants: constants(1),
      events: done,
      attempts: [attempt(1, "w1", Outcome.FAILED), attempt(2, "w2", Outcome.SUCCEEDED)],
    },
    { snapshot: stoppedEnd, constants: constants(2), events: stopped, attempts: [attempt(1, "w1", Outcome.CANCELLED)] },
    {
      snapshot: snapshot(TALKER, 4, COMPLETED, 1, 7, { workerId: "w1", result: JSON.stringify(said) }),
      constants: constants(4),
      events: talker,
      attempts: [attempt(1, "w1", Outcome.SUCCEEDED)],
    },
  ];
  const history: RunHistory = {
    finals,
    missing: [],
    workers: WORKERS,
    calls: [
      call("create", [1], "", snapshot(DONE, 1, PENDING, 0, 1)),
      call("create", [2], "", snapshot(STOPPED, 2, PENDING, 0, 1)),
      call("cancel", [], STOPPED, snapshot(STOPPED, 2, RUNNING, 1, 3, { workerId: "w1", isCancelRequested: true })),
    ],
    watches: soundWatches(finals),
    streams: [
      stream(1, DONE, done),
      stream(2, DONE, done.slice(2)),
      stream(3, STOPPED, stopped),
      stream(4, TALKER, talker),
    ],
    journal: [
      ...run(DONE, 1, 11, FIRST_TOKEN, 1000),
      ...run(DONE, 2, 12, SECOND_TOKEN, 1200),
      ...run(STOPPED, 1, 11, STOPPED_TOKEN, 1000),
      ...run(TALKER, 1, 11, TALKER_TOKEN, 1400),
    ],
    verification: { exitCode: 0, output: "" },
  };
  return structuredClone(history) as Mutable<RunHistory>;
}

/** A task as it stands in the end of a history. */
export function finalOf(history: Mutable<RunHistory>, id: string): Mutable<FinalTask> {
  const found = history.finals.find(({ snapshot: { id: other } }) => other === id);
  if (found === undefined) throw new Error(`no task ${id}`);
  return found;
}

/** A line of the journal, written by an isolate of the worker with this pid. */
export function journalLine(
  taskId: string,
  number: number,
  parentPid: number,
  event: JournalEvent,
  atMs: number,
  detail = "-",
): JournalLine {
  return { taskId, attempt: number, pid: parentPid + 1000, parentPid, event, atMs, wallMs: atMs, detail };
}

/** An event as it would follow those of a task. */
export function event(
  taskId: string,
  revision: number,
  sequence: number,
  number: number,
  state: TaskState,
  kind: Kind,
): TaskEvent {
  return { revision, sequence, taskId, time: new Date(0), state, attempt: number, type: "", queue: "", kind };
}

function events(taskId: string, base: number, list: readonly (readonly [number, TaskState, Kind])[]): TaskEvent[] {
  return list.map(([number, state, kind], place) => event(taskId, base + place, place + 1, number, state, kind));
}

function run(taskId: string, number: number, workerPid: number, token: string, beginMs: number): JournalLine[] {
  return [
    journalLine(taskId, number, workerPid, "begin", beginMs, token),
    journalLine(taskId, number, workerPid, "beat", beginMs + 50),
    journalLine(taskId, number, workerPid, "end", beginMs + 100, token),
  ];
}

function snapshot(
  id: string,
  op: number,
  state: TaskState,
  number: number,
  sequence: number,
  more: Partial<TaskSnapshot> = {},
): TaskSnapshot {
  const blank = { maxAttempts: 1, workerId: "", isCancelRequested: false, errorCode: "", result: "" };
  return { ...blank, id, op, state, attempt: number, sequence, ...more };
}

function constants(op: number): TaskConstants {
  return { type: "t", queue: "default", priority: 0, labels: { op: String(op) }, createTimeMs: 0 };
}

function attempt(number: number, workerId: string, outcome: Outcome): TaskAttempt {
  return { number, workerId, outcome, startTime: new Date(0), endTime: new Date(0), error: undefined, counted: true };
}

function call(kind: CallRecord["kind"], ops: readonly number[], taskId: string, task: TaskSnapshot): CallRecord {
  return { kind, via: "raw", ops, taskId, beginMs: 900, endMs: 950, outcome: "ok", error: "", tasks: [task] };
}

function stream(number: number, taskId: string, list: readonly TaskEvent[]): StreamRecord {
  const cursor = (list[0]?.sequence ?? 1) - 1;
  const frames = [{ atMs: SEEN_MS, events: list.map(seenEvent) }];
  return { stream: number, via: "raw", taskId, cursor, beginMs: 950, endMs: SEEN_MS, end: "ok", frames };
}
