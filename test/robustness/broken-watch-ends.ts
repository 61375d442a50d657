import type { RunHistory } from "#test/robustness/history.js";
import type { Break } from "#test/robustness/history-break.js";
import { finalOf, STOPPED, TALKER, type Mutable } from "#test/robustness/sound-history.js";
import { frameOf, watchOf } from "#test/robustness/watches/watch-of.js";
import type { WatchRecord } from "#test/robustness/watches/watch-history.js";

const RESUMABLE = /^Resumable/;
const BOOKMARKABLE = /^Bookmarkable/;
const TERMINAL = /^Terminal/;
const HONEST = /^Honest/;
const FILTERED = /^Filtered/;

/** Histories in which cursors, ends or what is told to watchers of many tasks are not as they must be. */
export const BROKEN_WATCH_ENDS: readonly Break[] = [
  {
    what: "a token that passes over a step",
    promise: RESUMABLE,
    evidence: /watch 3 .*token of watch 1, frame 2.* begins after revision 404/,
    spoil: (history) => {
      watchOf(history, "withinCommit").start = { kind: "token", stream: 1, frame: 2 };
      frameOf(history, "withinCommit", 0).steps.unshift(...frameOf(history, "snapshot", 3).steps.slice(1));
    },
  },
  {
    what: "a token that goes back",
    promise: RESUMABLE,
    evidence: /watch 3 .* tells revision 405 again/,
    spoil: (history) => {
      frameOf(history, "withinCommit", 0).steps.unshift(...frameOf(history, "snapshot", 3).steps.slice(1));
    },
  },
  {
    what: "a bookmark that passes over a step",
    promise: BOOKMARKABLE,
    evidence: /watch 1 .*: a bookmark passes over revision 406/,
    spoil: (history) => {
      frameOf(history, "snapshot", 4).steps = [];
    },
  },
  {
    what: "a bookmark beyond the log",
    promise: BOOKMARKABLE,
    evidence: /watch 7 .*: a bookmark is at revision 407, where the log or the snapshot was not/,
    spoil: (history) => {
      const last = history.watches[6]?.frames.at(-1);
      if (last !== undefined) last.bookmark = 407;
    },
  },
  {
    what: "a bookmark within a snapshot",
    promise: BOOKMARKABLE,
    evidence: /watch 1 .*: a bookmark is at revision 104/,
    spoil: (history) => {
      frameOf(history, "snapshot", 1).bookmark = 104;
    },
  },
  {
    what: "a quiet stream without bookmarks",
    promise: BOOKMARKABLE,
    evidence: /watch 6 .* was told nothing for 6000 ms, while others heard of the service/,
    spoil: (history) => {
      watchOf(history, "quiet").frames.splice(1);
    },
  },
  {
    what: "a stream of many tasks that ends with OK",
    promise: TERMINAL,
    evidence: /watch 1 .* ended with OK/,
    spoil: (history) => {
      watchOf(history, "snapshot").end = "ok";
    },
  },
  {
    what: "a stream of one task that ends with OK before its terminal event",
    promise: TERMINAL,
    evidence: /stream 3 of task stopped ended with OK at event 3, which is cancelRequested/,
    spoil: (history) => {
      history.streams[2]?.frames[0]?.events?.pop();
    },
  },
  {
    what: "a refused cursor that is within the log",
    promise: HONEST,
    evidence: /watch 5 .* was refused though its cursor is within the log: CURSOR_AHEAD of 203 outside 0 to 203/,
    spoil: (history) => {
      refuse(history, { revision: 203 });
      watchOf(history, "ahead").start = { kind: "revision", revision: 203 };
    },
  },
  {
    what: "a cursor refused as compacted where everything is kept",
    promise: HONEST,
    evidence: /watch 5 .* was refused though .*: REVISION_COMPACTED of 100 outside 104 to 203/,
    spoil: (history) => {
      refuse(history, { reason: "REVISION_COMPACTED", revision: 100, oldestRevision: 104 });
      watchOf(history, "ahead").start = { kind: "revision", revision: 100 };
    },
  },
  {
    what: "a refusal with another cursor",
    promise: HONEST,
    evidence: /watch 5 .* was refused as another cursor/,
    spoil: (history) => {
      refuse(history, { revision: 500 });
    },
  },
  {
    what: "a refusal with a log that never was",
    promise: HONEST,
    evidence: /watch 5 .*: the log did not end there: CURSOR_AHEAD of 1000406 outside 0 to 9999/,
    spoil: (history) => {
      refuse(history, { currentRevision: 9999 });
    },
  },
  {
    what: "a cursor beyond the log that is taken",
    promise: HONEST,
    evidence: /watch 5 .* is beyond the log, and was told something/,
    spoil: (history) => {
      const [record, other] = [watchOf(history, "ahead"), frameOf(history, "quiet", 0)];
      Object.assign(record, { end: "left", bounds: undefined });
      record.frames.push(other);
    },
  },
  {
    what: "a stream of many tasks that ends with another error",
    promise: HONEST,
    evidence: /watch 8 .* ended with INTERNAL INTERNAL/,
    spoil: (history) => {
      watchOf(history, "cancelled").end = "INTERNAL INTERNAL";
    },
  },
  {
    what: "an event that the filter does not select",
    promise: FILTERED,
    evidence: /watch 8 .*: event at revision 406 of task talker is nothing to this watcher/,
    spoil: (history) => {
      frameOf(history, "cancelled", 1).steps.push(...frameOf(history, "snapshot", 4).steps);
    },
  },
  {
    what: "an event that is in no history",
    promise: FILTERED,
    evidence: /watch 1 .*: event at revision 406 of task talker is in no history/,
    spoil: (history) => {
      finalOf(history, TALKER).events.pop();
    },
  },
  {
    what: "an event that says something else",
    promise: FILTERED,
    evidence: /watch 1 .*: event at revision 404 of task talker says other than the final history/,
    spoil: (history) => {
      const [output] = frameOf(history, "snapshot", 3).steps;
      if (output !== undefined) output.digest = "0";
    },
  },
  {
    what: "a task that is said to leave the filter and does not",
    promise: FILTERED,
    evidence: /watch 4 .*: unselected at revision 202 of task stopped is an event to this watcher/,
    spoil: (history) => {
      const step = frameOf(history, "running", 0).steps.find(({ revision }) => revision === 202);
      if (step !== undefined) Object.assign(step, { kind: "unselected", digest: "" });
    },
  },
  {
    what: "a task that is said to leave the filter in another state",
    promise: FILTERED,
    evidence:
      /watch 4 .*: unselected at revision 203 of task stopped is told as event 4 in state 4, and is .* in state 5/,
    spoil: (history) => {
      const step = frameOf(history, "running", 0).steps.at(-1);
      if (step !== undefined) step.state = 4;
    },
  },
  {
    what: "an event named as left out that the filter does not select",
    promise: FILTERED,
    evidence: /watch 8 .* names revision 402 as left out, which it was not to be told/,
    spoil: (history) => {
      frameOf(history, "cancelled", 1).lagged = [402];
    },
  },
  {
    what: "a task of a snapshot that does not match",
    promise: FILTERED,
    evidence: /watch 8 .*: task stopped at event 3 \(state 2, attempt 1\) does not belong in the snapshot/,
    spoil: (history) => {
      Object.assign(frameOf(history, "cancelled", 0).tasks[0] ?? {}, { sequence: 3, state: 2 });
    },
  },
  {
    what: "a task of a snapshot in a state it was not in",
    promise: FILTERED,
    evidence: /watch 2 .*: task stopped at event 4 \(state 3, attempt 1\) does not belong in the snapshot/,
    spoil: (history) => {
      const task = frameOf(history, "withinSnapshot", 1).tasks.find(({ id }) => id === STOPPED);
      if (task !== undefined) task.state = 3;
    },
  },
];

function refuse(history: Mutable<RunHistory>, bounds: Partial<NonNullable<WatchRecord["bounds"]>>): void {
  Object.assign(watchOf(history, "ahead").bounds ?? {}, bounds);
}
