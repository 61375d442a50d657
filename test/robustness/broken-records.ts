import { TaskState } from "#libs/tasks/task-state.js";
import type { Break } from "#test/robustness/history-break.js";
import { DONE, finalOf, SEEN_MS, STOPPED } from "#test/robustness/sound-history.js";

const WHOLE = /without a gap/;
const SAME = /the same whenever it is read/;
const SEEN = /a watcher has seen is missing/;
const ORDER = /Revisions rise/;
const STATE = /what the events add up to/;
const ANSWERS = /never forgotten/;
const VERIFIES = /database verifies/;

/** Histories in which events, streams, answers or the database are not as they must be. */
export const BROKEN_RECORDS: readonly Break[] = [
  {
    what: "a gap in a task's sequences",
    promise: WHOLE,
    evidence: /done: event 3 is numbered 4/,
    spoil: (history) => {
      finalOf(history, DONE).events.splice(2, 1);
    },
  },
  {
    what: "an event that changed after it was seen",
    promise: SAME,
    evidence: /done, event 2 \(started\) on stream 1 \(raw\) said .*"w1".* in the end it says .*"w9"/,
    spoil: (history) => {
      const kind = finalOf(history, DONE).events[1]?.kind;
      if (kind?.$case === "started") kind.value.workerId = "w9";
    },
  },
  {
    what: "an event that a watcher saw and that is gone",
    promise: SEEN,
    evidence: /stopped, event 4 \(cancelled\) on stream 3 \(raw\) is not in the final history/,
    spoil: (history) => {
      finalOf(history, STOPPED).events.pop();
    },
  },
  {
    what: "a revision that falls on a stream",
    promise: ORDER,
    evidence: /stream 1 \(raw\) of task done from 0: revision 99 of event 3 came after 101/,
    spoil: (history) => {
      const third = history.streams[0]?.frames[0]?.events?.[2];
      if (third !== undefined) third.revision = 99;
    },
  },
  {
    what: "an event that a stream skips",
    promise: ORDER,
    evidence: /stream 2 \(raw\) of task done from 2: event 5 came instead of 4/,
    spoil: (history) => {
      history.streams[1]?.frames[0]?.events?.splice(1, 1);
    },
  },
  {
    what: "a stream that ends with OK before the end",
    promise: ORDER,
    evidence: /stream 3 .* ended with OK at event 3, which is not terminal/,
    spoil: (history) => {
      history.streams[2]?.frames[0]?.events?.pop();
    },
  },
  {
    what: "a heartbeat that vouches for what comes later",
    promise: ORDER,
    evidence: /stream 1 .*: revision 104 of event 5 came after 500/,
    spoil: (history) => {
      const frames = history.streams[0]?.frames;
      const last = frames?.[0]?.events?.pop();
      if (last === undefined) return;
      frames?.push({ atMs: 1, heartbeat: { revision: 500, sequence: 4 } }, { atMs: SEEN_MS, events: [last] });
    },
  },
  {
    what: "two events with one revision",
    promise: ORDER,
    evidence: /revision 100 is that of event 1 of task stopped and of event 1 of task done/,
    spoil: (history) => {
      const [first] = finalOf(history, STOPPED).events;
      if (first !== undefined) first.revision = 100;
    },
  },
  {
    what: "a stored state that the events do not give",
    promise: STATE,
    evidence: /done: the stored task said FAILED, attempt 2 at event 5; the events add up to COMPLETED/,
    spoil: (history) => {
      finalOf(history, DONE).snapshot.state = TaskState.FAILED;
    },
  },
  {
    what: "an answer that was taken back",
    promise: STATE,
    evidence: /stopped: the answer to a cancel said CANCELLED, attempt 1 at event 3; the events add up to RUNNING/,
    spoil: (history) => {
      const task = history.calls[2]?.tasks[0];
      if (task !== undefined) task.state = TaskState.CANCELLED;
    },
  },
  {
    what: "a cancel that was accepted and forgotten",
    promise: ANSWERS,
    evidence: /the cancel of task done was answered at event 2, and its history has none/,
    spoil: (history) => {
      const cancel = history.calls[2];
      if (cancel?.tasks[0] === undefined) return;
      cancel.taskId = DONE;
      Object.assign(cancel.tasks[0], { id: DONE, sequence: 2 });
    },
  },
  {
    what: "a database that does not verify",
    promise: VERIFIES,
    evidence: /ended with 1: gap/,
    spoil: (history) => {
      history.verification = { exitCode: 1, output: "gap" };
    },
  },
];
