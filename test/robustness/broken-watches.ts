import type { RunHistory } from "#test/robustness/history.js";
import type { Break } from "#test/robustness/history-break.js";
import { finalOf, STOPPED, TALKER, type Mutable } from "#test/robustness/sound-history.js";
import { WATCH } from "#test/robustness/watches/sound-watches.js";
import type { WatchFrame, WatchRecord } from "#test/robustness/watches/watch-history.js";

const ORDERED = /^Ordered/;
const UNIQUE = /^Unique/;
const ATOMIC = /^Atomic/;
const RELIABLE = /^Reliable/;
const RESUMABLE = /^Resumable/;
const BOOKMARKABLE = /^Bookmarkable/;
const TERMINAL = /^Terminal/;
const HONEST = /^Honest/;
const FILTERED = /^Filtered/;

type History = Mutable<RunHistory>;

/** Histories in which watchers of many tasks are told what they must not be. */
export const BROKEN_WATCHES: readonly Break[] = [
  {
    what: "a step that comes after a later one",
    promise: ORDERED,
    evidence: /watch 1 .*: revision 404 comes after 405/,
    spoil: (history) => {
      frameOf(history, "snapshot", 3).steps.reverse();
    },
  },
  {
    what: "a step that a bookmark had said was over",
    promise: ORDERED,
    evidence: /watch 3 .*: revision 406 comes after 406/,
    spoil: (history) => {
      watchOf(history, "withinCommit").frames.reverse();
    },
  },
  {
    what: "a bookmark that goes back",
    promise: ORDERED,
    evidence: /watch 6 .*: a mark is at revision 405 after 406/,
    spoil: (history) => {
      frameOf(history, "quiet", 3).bookmark = 405;
    },
  },
  {
    what: "an event that comes twice",
    promise: UNIQUE,
    evidence: /watch 1 .* tells revision 404 twice/,
    spoil: (history) => {
      frameOf(history, "snapshot", 4).steps.push(...frameOf(history, "snapshot", 3).steps.slice(0, 1));
    },
  },
  {
    what: "an event that was named as left out and comes nevertheless",
    promise: UNIQUE,
    evidence: /watch 4 .* tells revision 401 twice/,
    spoil: (history) => {
      frameOf(history, "running", 1).lagged = [401, 402, 403];
    },
  },
  {
    what: "an event of before the cursor",
    promise: UNIQUE,
    evidence: /watch 4 .* tells revision 101, which is not after its cursor/,
    spoil: (history) => {
      watchOf(history, "running").start = { kind: "revision", revision: 101 };
    },
  },
  {
    what: "an event that was known of before a stream from now on began",
    promise: UNIQUE,
    evidence: /watch 6 .*from now.* tells revision 406, which is not after its cursor/,
    spoil: (history) => {
      frameOf(history, "quiet", 0).steps.push(...frameOf(history, "snapshot", 4).steps);
    },
  },
  {
    what: "a resume that loses the rest of a commit",
    promise: ATOMIC,
    evidence: /watch 3 .* began within a commit and leaves out revision 406 \(completed, event 7 of task talker\)/,
    spoil: (history) => {
      frameOf(history, "withinCommit", 0).steps = [];
    },
  },
  {
    what: "a step that is left out",
    promise: RELIABLE,
    evidence: /watch 1 .* leaves out revision 404 \(output, event 5 of task talker\)/,
    spoil: (history) => {
      frameOf(history, "snapshot", 3).steps.shift();
    },
  },
  {
    what: "a task that left the filter and was not said to have",
    promise: RELIABLE,
    evidence: /watch 4 .* leaves out revision 406 \(unselected by completed/,
    spoil: (history) => {
      frameOf(history, "running", 1).steps.pop();
    },
  },
  {
    what: "an event named as left out that is no progress",
    promise: RELIABLE,
    evidence: /watch 1 .* leaves out revision 404, which is output, no progress/,
    spoil: (history) => {
      const frame = frameOf(history, "snapshot", 3);
      frame.steps.shift();
      frame.lagged = [404];
    },
  },
  {
    what: "progress named as left out after which none comes",
    promise: RELIABLE,
    evidence: /watch 4 .* left out progress 405 of talker 1, and no later one came before a bookmark at 406/,
    spoil: (history) => {
      const frame = frameOf(history, "running", 1);
      frame.steps.splice(1, 1);
      frame.lagged.push(405);
    },
  },
  {
    what: "a snapshot that leaves out a task",
    promise: RELIABLE,
    evidence: /watch 8 .*: the snapshot leaves out task stopped at revision 406/,
    spoil: (history) => {
      frameOf(history, "cancelled", 0).tasks = [];
    },
  },
  {
    what: "a page of two moments",
    promise: RELIABLE,
    evidence: /watch 2 .*: a page with tasks of revision 203 and of before 202 is of no moment/,
    spoil: (history) => {
      const [stopped, talker] = frameOf(history, "withinSnapshot", 1).tasks;
      if (stopped === undefined || talker === undefined) return;
      Object.assign(stopped, { sequence: 2, state: 2 });
      Object.assign(talker, { id: "stopped", sequence: 4, state: 5 });
    },
  },
  {
    what: "a step of a task that the snapshot has not come to",
    promise: RELIABLE,
    evidence: /watch 1 .*: revision 201 .* comes before the snapshot has passed its task/,
    spoil: (history) => {
      frameOf(history, "snapshot", 1).steps.push(...frameOf(history, "running", 0).steps.slice(4, 5));
    },
  },
  {
    what: "a snapshot that does not add up",
    promise: RELIABLE,
    evidence: /watch 8 .*: snapshot and steps end with task talker, which does not match at revision 406/,
    spoil: (history) => {
      frameOf(history, "cancelled", 0).tasks.push({ id: TALKER, sequence: 7, state: 3, attempt: 1 });
    },
  },
  {
    what: "a token that passes over a step",
    promise: RESUMABLE,
    evidence: /watch 3 .*token of watch 1, frame 1.* begins after revision 404/,
    spoil: (history) => {
      watchOf(history, "withinCommit").start = { kind: "token", stream: 1, frame: 2 };
      frameOf(history, "withinCommit", 0).steps.unshift(...frameOf(history, "snapshot", 3).steps.slice(1));
      watchOf(history, "withinCommit").watcher = "token of watch 1, frame 1";
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
    evidence: /watch 6 .* was told nothing for 5\d\d\d ms, while others heard of the service/,
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

function watchOf({ watches }: History, name: keyof typeof WATCH): Mutable<WatchRecord> {
  const record = watches[WATCH[name]];
  if (record === undefined) throw new Error(`no watch ${name}`);
  return record;
}

function frameOf(history: History, name: keyof typeof WATCH, place: number): Mutable<WatchFrame> {
  const frame = watchOf(history, name).frames[place];
  if (frame === undefined) throw new Error(`watch ${name} has no frame ${place}`);
  return frame;
}

function refuse(history: History, bounds: Partial<NonNullable<WatchRecord["bounds"]>>): void {
  Object.assign(watchOf(history, "ahead").bounds ?? {}, bounds);
}
