import { Evidence, type Verdict } from "#test/robustness/evidence.js";
import type { HistoryIndex } from "#test/robustness/history-index.js";

/** The events of every task are numbered 1, 2, 3, …, to the sequence the task itself names. */
export function wholeSequences({ history }: HistoryIndex): Verdict {
  const evidence = new Evidence("Per-task sequences run 1..n without a gap", "events");
  for (const { snapshot, events } of history.finals) {
    for (const [place, { sequence, taskId }] of events.entries())
      evidence.expect(
        sequence === place + 1 && taskId === snapshot.id,
        () => `task ${snapshot.id}: event ${place + 1} is numbered ${sequence}, of task ${taskId}`,
      );
    evidence.expect(
      events.length === snapshot.sequence,
      () => `task ${snapshot.id} is at sequence ${snapshot.sequence} and has ${events.length} events`,
    );
  }
  return evidence.verdict();
}
