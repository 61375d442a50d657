import { Evidence, type Verdict } from "#test/robustness/evidence.js";
import type { StreamRecord } from "#test/robustness/history.js";
import type { HistoryIndex } from "#test/robustness/history-index.js";
import { isOver } from "#test/robustness/task-story.js";

const TERMINAL = ["completed", "failed", "cancelled"];

/** On each stream revisions rise, no sequence is left out or comes twice, and only a terminal event ends it with OK. */
export function streamsInOrder({ history }: HistoryIndex): Verdict {
  const evidence = new Evidence("Revisions rise and nothing is skipped or repeated on any stream", "frames");
  for (const stream of history.streams) checkStream(stream, evidence);
  const taken = new Map<number, string>();
  for (const { snapshot, events } of history.finals)
    for (const { revision, sequence } of events) {
      const where = `event ${sequence} of task ${snapshot.id}`;
      const other = taken.get(revision);
      evidence.expect(other === undefined, () => `revision ${revision} is that of ${where} and of ${other}`);
      taken.set(revision, where);
    }
  const ends = new Map<string, number>();
  for (const { end } of history.streams) ends.set(end, (ends.get(end) ?? 0) + 1);
  evidence.note(`${history.streams.length} streams: ${[...ends].map(([end, count]) => `${count} ${end}`).join(", ")}`);
  return evidence.verdict();
}

function checkStream({ stream, via, taskId, cursor, end, frames }: StreamRecord, evidence: Evidence): void {
  const where = `stream ${stream} (${via}) of task ${taskId} from ${cursor ?? "a snapshot"}`;
  let sequence = cursor;
  let revision = 0;
  let isTerminal = false;
  for (const { snapshot, events = [], heartbeat } of frames) {
    if (snapshot !== undefined) {
      evidence.expect(sequence === null, () => `${where}: a snapshot came at sequence ${sequence}`);
      sequence = snapshot.sequence;
      isTerminal = isOver(snapshot.state);
    }
    for (const event of events) {
      const expected = (sequence ?? 0) + 1;
      evidence.expect(
        event.sequence === expected,
        () => `${where}: event ${event.sequence} came instead of ${expected}`,
      );
      evidence.expect(
        event.revision > revision,
        () => `${where}: revision ${event.revision} of event ${event.sequence} came after ${revision}`,
      );
      ({ sequence, revision } = event);
      isTerminal = TERMINAL.includes(event.kind);
    }
    if (heartbeat === undefined) continue;
    evidence.expect(
      heartbeat.sequence === sequence && heartbeat.revision >= revision,
      () =>
        `${where}: a heartbeat said ${heartbeat.sequence} at revision ${heartbeat.revision} after event ${sequence} at ${revision}`,
    );
    // What comes later is newer than what the heartbeat vouched for.
    revision = Math.max(revision, heartbeat.revision);
  }
  const isEmptyResume = cursor !== null && frames.length === 0;
  evidence.expect(
    end !== "ok" || isTerminal || isEmptyResume,
    () => `${where} ended with OK at event ${sequence}, which is not terminal`,
  );
  const isHonest = !/DATA_LOSS|OUT_OF_RANGE|NOT_FOUND|INTERNAL INTERNAL/.test(end);
  evidence.expect(isHonest, () => `${where} ended with ${end}`);
}
