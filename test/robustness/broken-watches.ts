import type { Break } from "#test/robustness/history-break.js";
import { TALKER } from "#test/robustness/sound-history.js";
import { frameOf, watchOf } from "#test/robustness/watches/watch-of.js";

const ORDERED = /^Ordered/;
const UNIQUE = /^Unique/;
const ATOMIC = /^Atomic/;
const RELIABLE = /^Reliable/;

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
];
