import { eventDigest } from "#test/robustness/watches/event-digest.js";
import type { DueStep } from "#test/robustness/watches/selected-log.js";
import type { SeenStep, WatchRecord } from "#test/robustness/watches/watch-history.js";
import type { WholeLog } from "#test/robustness/watches/whole-log.js";

/** A stream, for people. */
export function streamName({ stream, watcher, start }: WatchRecord): string {
  return `watch ${stream} (${watcher}, ${startText(start)})`;
}

function startText(start: WatchRecord["start"]): string {
  if (start.kind === "revision") return `after revision ${start.revision}`;
  return start.kind === "token" ? `token of watch ${start.stream}, frame ${start.frame}` : `from ${start.kind}`;
}

/** In what a told step is not what the truth has at its revision; empty: in nothing. */
export function differenceOf(seen: SeenStep, due: DueStep | undefined, whole: WholeLog): string {
  const { revision, kind, taskId, sequence, state } = seen;
  const told = `${kind} at revision ${revision} of task ${taskId}`;
  if (whole.at(revision) === undefined) return `${told} is in no history`;
  if (due === undefined) return `${told} is nothing to this watcher`;
  if (due.kind !== kind) return `${told} is ${due.kind === "event" ? "an event" : "unselected"} to this watcher`;
  const { event } = due;
  if (event.taskId !== taskId || event.sequence !== sequence || Number(event.state) !== state)
    return `${told} is told as event ${sequence} in state ${state}, and is event ${event.sequence} in state ${event.state} of task ${event.taskId}`;
  if (kind === "unselected") return "";
  const { type = "", queue = "" } = whole.finals.get(taskId)?.constants ?? {};
  return eventDigest({ ...event, type, queue }) === seen.digest ? "" : `${told} says other than the final history`;
}
