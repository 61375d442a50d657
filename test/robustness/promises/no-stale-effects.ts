import { Evidence, type Verdict } from "#test/robustness/evidence.js";
import type { HandlerRun, HistoryIndex } from "#test/robustness/history-index.js";
import { attemptNumbered } from "#test/robustness/task-story.js";

const TOKEN = /(?<![0-9a-f])[0-9a-f]{16}(?![0-9a-f])/g;

/** Whatever an event quotes of a handler was said by the run of that attempt at the worker that held it. */
export function noStaleEffects(index: HistoryIndex): Verdict {
  const evidence = new Evidence("No stale attempt has any effect", "events and quotes");
  let refused = 0;
  for (const { snapshot, events } of index.history.finals) {
    const { id } = snapshot;
    const story = index.stories.get(id);
    for (const [place, event] of events.entries()) {
      const { sequence, kind } = event;
      const current = story?.attemptNumbers[place] ?? 0;
      if (kind?.$case === "staleAttemptRejected") refused += 1;
      evidence.expect(
        event.attempt === current,
        () =>
          `task ${id}, event ${sequence} (${kind?.$case}): is of attempt ${event.attempt}, while attempt ${current} is the latest`,
      );
      const holder = attemptNumbered(story, current)?.workerId;
      const quotes = new Set((JSON.stringify(kind) ?? "").match(TOKEN) ?? []);
      for (const token of quotes) {
        const run = index.runsByToken.get(token);
        evidence.expect(
          isRunOf(run, id, event.attempt, holder),
          () =>
            `task ${id}, event ${sequence} (${kind?.$case}) of attempt ${event.attempt} held by ${holder} quotes ${runText(token, run)}`,
        );
        if (kind?.$case === "completed")
          evidence.expect(
            run?.hasEnded === true,
            () => `task ${id} completed with the result of a run that did not end: ${token}`,
          );
      }
      if (kind?.$case === "completed" && !kind.value.resultOmitted)
        evidence.expect(
          quotes.size > 0,
          () => `task ${id} completed with a result that no handler has named: event ${sequence}`,
        );
    }
  }
  evidence.note(`${refused} reports of stale attempts refused and recorded`);
  return evidence.verdict();
}

function isRunOf(run: HandlerRun | undefined, taskId: string, attempt: number, workerId: string | undefined): boolean {
  return run !== undefined && run.taskId === taskId && run.attempt === attempt && run.workerId === workerId;
}

function runText(token: string, run: HandlerRun | undefined): string {
  if (run === undefined) return `${token}, which no journal knows`;
  return `${token}: the run of attempt ${run.attempt} of task ${run.taskId} at worker ${run.workerId}`;
}
