import type { StreamRecord } from "#test/robustness/history.js";
import type { WatchFindings } from "#test/robustness/watches/watch-findings.js";
import type { WatchRecord } from "#test/robustness/watches/watch-history.js";
import { streamName } from "#test/robustness/watches/watch-words.js";
import { classOf } from "#test/robustness/watches/selected-log.js";
import type { WholeLog } from "#test/robustness/watches/whole-log.js";

const TERMINAL: readonly (string | undefined)[] = ["completed", "failed", "cancelled"];

/** A stream of one task that ended with OK has told, or begun after, a terminal event. */
export function checkTaskEnd(
  { stream, taskId, cursor, end, frames }: StreamRecord,
  whole: WholeLog,
  findings: WatchFindings,
): void {
  if (end !== "ok") return;
  const told = frames
    .flatMap(({ snapshot, events = [] }) => [snapshot, ...events])
    .filter((each) => each !== undefined);
  const last = told.at(-1)?.sequence ?? cursor ?? 0;
  const event = whole.finals.get(taskId)?.events[last - 1];
  findings.terminal.expect(
    event === undefined || TERMINAL.includes(event.kind?.$case),
    () => `stream ${stream} of task ${taskId} ended with OK at event ${last}, which is ${event?.kind?.$case}`,
  );
}

/** A stream of many tasks ends with a cut, or with an OUT_OF_RANGE that is true. */
export function checkWatchEnd(record: WatchRecord, whole: WholeLog, findings: WatchFindings): void {
  const { end, start, frames } = record;
  const name = streamName(record);
  findings.terminal.expect(end !== "ok", () => `${name} ended with OK`);
  const isRefused = end.startsWith("OUT_OF_RANGE");
  findings.honest.expect(
    end === "left" || end === "ok" || end.startsWith("cut: ") || isRefused,
    () => `${name} ended with ${end}`,
  );
  const isAhead = start.kind === "revision" && start.revision > whole.lastRevision;
  findings.honest.expect(!isAhead || frames.length === 0, () => `${name} is beyond the log, and was told something`);
  if (isRefused) expectTrueRefusal(record, whole, findings);
}

function expectTrueRefusal(record: WatchRecord, whole: WholeLog, { honest }: WatchFindings): void {
  const { start, bounds, beginMs } = record;
  const name = streamName(record);
  honest.expect(bounds !== undefined, () => `${name} was refused without numbers`);
  if (bounds === undefined) return;
  const { reason, revision, oldestRevision, currentRevision } = bounds;
  const numbers = `${reason} of ${revision} outside ${oldestRevision} to ${currentRevision}`;
  honest.expect(
    start.kind !== "revision" || start.revision === revision,
    () => `${name} was refused as another cursor: ${numbers}`,
  );
  honest.expect(
    currentRevision >= whole.reachedBy(beginMs) && currentRevision <= whole.lastRevision,
    () => `${name}: the log did not end there: ${numbers}`,
  );
  const kept = whole.events.filter((event) => event.revision > revision && event.revision <= oldestRevision);
  const isTrue =
    reason === "CURSOR_AHEAD"
      ? revision > currentRevision
      : revision < oldestRevision && kept.length < oldestRevision - revision;
  honest.expect(isTrue, () => `${name} was refused though its cursor is within the log: ${numbers}`);
}

/** What the streams of many tasks came to, for people. */
export function endsText(watches: readonly WatchRecord[]): string {
  const ends = new Map<string, number>();
  for (const { end } of watches) ends.set(end, (ends.get(end) ?? 0) + 1);
  return `${watches.length} streams: ${[...ends].map(([end, count]) => `${count} ${end}`).join(", ")}`;
}

/** How they began, for people. */
export function startsText(watches: readonly WatchRecord[]): string {
  const starts = new Map<string, number>();
  for (const { start, frames } of watches) {
    const pages = frames.filter(({ tasks }) => tasks.length > 0).length;
    const word = start.kind === "token" && pages > 0 ? "token within a snapshot" : start.kind;
    const label = pages > 1 ? `${word} with ${pages} pages` : word;
    starts.set(label, (starts.get(label) ?? 0) + 1);
  }
  return [...starts].map(([start, count]) => `${count} ${start}`).join(", ");
}

/** How much they were told, for people. */
export function toldText(watches: readonly WatchRecord[], whole: WholeLog): string {
  const frames = watches.flatMap((record) => record.frames);
  const steps = frames.flatMap((frame) => frame.steps);
  const unselected = steps.filter(({ kind }) => kind === "unselected").length;
  const progress = steps.filter(({ revision }) => classOfRevision(whole, revision) === "progress").length;
  const lagged = frames.reduce((sum, frame) => sum + frame.lagged.length, 0);
  return `${frames.length} frames, ${steps.length} steps, of which ${unselected} unselected and ${progress} progress; ${lagged} left out`;
}

function classOfRevision(whole: WholeLog, revision: number): string {
  const event = whole.at(revision);
  return event === undefined ? "" : classOf(event);
}
