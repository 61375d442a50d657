import { Evidence, type Verdict } from "#test/robustness/evidence.js";
import type { HistoryIndex } from "#test/robustness/history-index.js";
import { seenEvent } from "#test/robustness/record-task.js";

/** Every event that any watcher has seen is in the final history, and says there what it said then. */
export function sameWhenReadAgain({ history, finals }: HistoryIndex): readonly Verdict[] {
  const same = new Evidence("An event is the same whenever it is read", "events read");
  const kept = new Evidence("No event that a watcher has seen is missing", "events read");
  const texts = new Map<string, string>();
  for (const { snapshot, events } of finals.values())
    for (const event of events) texts.set(`${snapshot.id} ${event.sequence}`, seenEvent(event).text);
  for (const { stream, via, taskId, frames } of history.streams)
    for (const { events = [] } of frames)
      for (const { sequence, kind, text } of events) {
        const final = texts.get(`${taskId} ${sequence}`);
        const where = `task ${taskId}, event ${sequence} (${kind}) on stream ${stream} (${via})`;
        kept.expect(final !== undefined, () => `${where} is not in the final history`);
        if (final !== undefined)
          same.expect(final === text, () => `${where} said ${text}, in the end it says ${final}`);
      }
  return [same.verdict(), kept.verdict()];
}
