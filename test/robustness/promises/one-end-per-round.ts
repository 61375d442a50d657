import { Evidence, type Verdict } from "#test/robustness/evidence.js";
import type { HistoryIndex } from "#test/robustness/history-index.js";

/** In each round of attempts a task ends once, and nothing follows but a reopening. */
export function oneEndPerRound({ finals, stories }: HistoryIndex): Verdict {
  const evidence = new Evidence("Every task ends exactly once per round", "rounds");
  let reopened = 0;
  for (const [id, { ends, oddities }] of stories) {
    reopened += ends.length - 1;
    for (const [round, sequences] of ends.entries())
      evidence.expect(
        sequences.length === 1,
        () => `task ${id} has ${sequences.length} terminal events in round ${round + 1}: ${sequences.join(", ")}`,
      );
    const last = ends.at(-1)?.at(-1);
    const length = finals.get(id)?.events.length;
    evidence.expect(last === length, () => `task ${id} has ${length} events, and the last terminal one is ${last}`);
    for (const odd of oddities) evidence.expect(false, () => `task ${id}, ${odd}`);
  }
  evidence.note(`${reopened} rounds begun by RetryTask`);
  return evidence.verdict();
}
