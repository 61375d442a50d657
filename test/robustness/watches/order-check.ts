import type { Evidence } from "#test/robustness/evidence.js";
import type { WatchRecord } from "#test/robustness/watches/watch-history.js";
import { streamName } from "#test/robustness/watches/watch-words.js";

/** On a stream revisions of steps only rise, and what a mark vouches for is over. */
export function checkOrder(record: WatchRecord, evidence: Evidence): void {
  const name = streamName(record);
  let revision = record.start.kind === "revision" ? record.start.revision : 0;
  for (const { lagged, steps, synced, bookmark } of record.frames) {
    let leftOut = revision;
    for (const each of lagged) {
      evidence.expect(each > leftOut, () => `${name}: revision ${each} is named as left out after ${leftOut}`);
      leftOut = each;
    }
    for (const { revision: next } of steps) {
      evidence.expect(next > revision, () => `${name}: revision ${next} comes after ${revision}`);
      revision = next;
    }
    const mark = synced ?? bookmark;
    if (mark === undefined) continue;
    evidence.expect(
      mark >= Math.max(revision, leftOut),
      () => `${name}: a mark is at revision ${mark} after ${Math.max(revision, leftOut)}`,
    );
    revision = mark;
  }
}
