import { Evidence, type Verdict } from "#test/robustness/evidence.js";
import type { HistoryIndex } from "#test/robustness/history-index.js";

/** `taskwire verify` finds nothing wrong with the database. */
export function databaseVerifies({ history }: HistoryIndex): Verdict {
  const { verification } = history;
  const evidence = new Evidence("The database verifies", "databases");
  evidence.expect(
    verification.exitCode === 0,
    () => `taskwire verify ended with ${verification.exitCode}: ${verification.output}`,
  );
  return evidence.verdict();
}
