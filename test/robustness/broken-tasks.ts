import { TaskAttempt_Outcome as Outcome } from "#libs/proto/gen/taskwire/v1/task.js";
import { TaskState } from "#libs/tasks/task-state.js";
import type { Break } from "#test/robustness/history-break.js";
import {
  DONE,
  event,
  finalOf,
  journalLine,
  SECOND_TOKEN,
  SEEN_MS,
  STOPPED,
  STOPPED_TOKEN,
} from "#test/robustness/sound-history.js";

const LOST = /No accepted task is lost/;
const ENDS = /ends exactly once/;
const STALE = /No stale attempt/;
export const STOPS = /No handler code runs after/;
const ADD_UP = /Attempts add up/;
const failure = { code: "X", message: "", retryable: false, details: undefined };

/** Histories in which tasks, attempts or handlers are not as they must be. */
export const BROKEN_TASKS: readonly Break[] = [
  {
    what: "an accepted task that GetTask does not find",
    promise: LOST,
    evidence: /done was accepted and is not found/,
    spoil: (history) => {
      history.finals.shift();
      history.missing.push(DONE);
    },
  },
  {
    what: "an accepted task that never ends",
    promise: LOST,
    evidence: /stopped has not ended: it is RUNNING/,
    spoil: (history) => {
      finalOf(history, STOPPED).snapshot.state = TaskState.RUNNING;
    },
  },
  {
    what: "a repeated create that made a second task",
    promise: LOST,
    evidence: /create 1 made 2 tasks/,
    spoil: (history) => {
      const [first] = history.calls;
      if (first?.tasks[0] !== undefined)
        history.calls.push({ ...first, kind: "repeat", tasks: [{ ...first.tasks[0], id: STOPPED }] });
    },
  },
  {
    what: "a batch of which only a part was made",
    promise: LOST,
    evidence: /batch 1, 2, 3 made only 2/,
    spoil: (history) => {
      const [first] = history.calls;
      if (first !== undefined)
        history.calls.push({ ...first, kind: "batch", ops: [1, 2, 3], outcome: "unknown", tasks: [] });
    },
  },
  {
    what: "a refused create that made a task",
    promise: LOST,
    evidence: /create 2 was refused .* and made a task/,
    spoil: (history) => {
      const [, second] = history.calls;
      if (second !== undefined) Object.assign(second, { outcome: "refused", error: "INVALID_ARGUMENT X", tasks: [] });
    },
  },
  {
    what: "a task with two ends",
    promise: ENDS,
    evidence: /done has 2 terminal events in round 1: 5, 6/,
    spoil: (history) => {
      const done = finalOf(history, DONE);
      done.events.push(event(DONE, 300, 6, 2, TaskState.FAILED, { $case: "failed", value: { error: failure } }));
    },
  },
  {
    what: "an event after the end",
    promise: ENDS,
    evidence: /done has 6 events, and the last terminal one is 5/,
    spoil: (history) => {
      finalOf(history, DONE).events.push(
        event(DONE, 300, 6, 2, TaskState.COMPLETED, { $case: "softLimitReached", value: {} }),
      );
    },
  },
  {
    what: "the result of a stale attempt",
    promise: STALE,
    evidence: /done, event 5 \(completed\) of attempt 2 held by w2 quotes aaaaaaaaaaaaaaa1: the run of attempt 1/,
    spoil: (history) => {
      const kind = finalOf(history, DONE).events[4]?.kind;
      if (kind?.$case === "completed") kind.value.result = { attempt: 1, token: "aaaaaaaaaaaaaaa1" };
    },
  },
  {
    what: "the result of another worker's run of the same attempt",
    promise: STALE,
    evidence: /held by w2 quotes aaaaaaaaaaaaaaa2: the run of attempt 2 of task done at worker w1/,
    spoil: (history) => {
      for (const line of history.journal) if (line.taskId === DONE && line.attempt === 2) line.parentPid = 11;
    },
  },
  {
    what: "a result no handler has come to",
    promise: STALE,
    evidence: /done completed with the result of a run that did not end/,
    spoil: (history) => {
      history.journal = history.journal.filter((line) => !(line.detail === SECOND_TOKEN && line.event === "end"));
    },
  },
  {
    what: "an event that carries another attempt's number",
    promise: STALE,
    evidence: /done, event 5 \(completed\): is of attempt 1, while attempt 2/,
    spoil: (history) => {
      const last = finalOf(history, DONE).events[4];
      if (last !== undefined) last.attempt = 1;
    },
  },
  {
    what: "a journal line after CANCELLED was seen",
    promise: STOPS,
    evidence: /stopped, attempt 1: run bbbbbbbbbbbbbbb1 wrote its journal 5 ms after event 4 \(cancelled\)/,
    spoil: (history) => {
      history.journal.push(journalLine(STOPPED, 1, 11, "beat", SEEN_MS + 5));
    },
  },
  {
    what: "a run that begins after CANCELLED at a worker that never held the attempt",
    promise: STOPS,
    evidence: /stopped, attempt 1: run bbbbbbbbbbbbbbb2 at worker w2 began 5 ms after event 4 \(cancelled\) was seen/,
    spoil: (history) => {
      history.journal.push(journalLine(STOPPED, 1, 12, "begin", SEEN_MS + 5, "bbbbbbbbbbbbbbb2"));
    },
  },
  {
    what: "a handler that ran although the cancel says that none did",
    promise: STOPS,
    evidence: /bbbbbbbbbbbbbbb1 ran, and the cancel said that none did/,
    spoil: (history) => {
      const kind = finalOf(history, STOPPED).events[3]?.kind;
      if (kind?.$case === "cancelled") kind.value.phase = 1;
    },
  },
  {
    what: "an attempt that is not listed",
    promise: ADD_UP,
    evidence: /done lists 1 attempts after 2 started events/,
    spoil: (history) => {
      finalOf(history, DONE).attempts.pop();
    },
  },
  {
    what: "an attempt listed with another end",
    promise: ADD_UP,
    evidence: /done, attempt 1 at w1 ended by retryScheduled CHAOS, listed as/,
    spoil: (history) => {
      const [first] = finalOf(history, DONE).attempts;
      if (first !== undefined) first.outcome = Outcome.LOST;
    },
  },
  {
    what: "an attempt that ran twice where it was held",
    promise: ADD_UP,
    evidence: /stopped, attempt 1 began 2 times/,
    spoil: (history) => {
      history.journal.push(journalLine(STOPPED, 1, 11, "begin", 1500, "bbbbbbbbbbbbbbb2"));
    },
  },
  {
    what: "more attempts than a round may have",
    promise: ADD_UP,
    evidence: /done has 2 counted attempts in round 1, and may have 1/,
    spoil: (history) => {
      for (const { kind } of finalOf(history, DONE).events) if (kind?.$case === "started") kind.value.maxAttempts = 1;
    },
  },
  {
    what: "a run of a task that does not exist",
    promise: ADD_UP,
    evidence: /is of task ghost, which does not exist/,
    spoil: (history) => {
      history.journal.push(journalLine("ghost", 1, 11, "begin", 1500, STOPPED_TOKEN));
    },
  },
];
