import { TaskAttempt_Outcome as Outcome } from "#libs/proto/gen/taskwire/v1/task.js";
import { Evidence, type Verdict } from "#test/robustness/evidence.js";
import type { HistoryIndex } from "#test/robustness/history-index.js";
import { attemptNumbered, type AttemptStory } from "#test/robustness/task-story.js";

/** Attempts listed, started events and runs in the journal agree, and no round has more counted attempts than it may. */
export function attemptsAddUp(index: HistoryIndex): Verdict {
  const evidence = new Evidence("Attempts add up", "attempts");
  let neverRan = 0;
  let unheld = 0;
  let unheard = 0;
  for (const { snapshot, attempts: rows } of index.history.finals) {
    const { id } = snapshot;
    const story = index.stories.get(id);
    const told = story?.attempts ?? [];
    const latest = story?.attemptNumbers.at(-1) ?? 0;
    unheard += latest - told.length;
    evidence.expect(
      snapshot.attempt === latest,
      () => `task ${id} is at attempt ${snapshot.attempt}, while attempt ${latest} is the latest`,
    );
    evidence.expect(
      rows.length === told.length,
      () => `task ${id} lists ${rows.length} attempts after ${told.length} started events`,
    );
    for (const [place, attempt] of told.entries()) {
      const row = rows[place];
      const isSame =
        row?.number === attempt.number &&
        row.workerId === attempt.workerId &&
        outcomesOf(attempt).includes(row.outcome);
      evidence.expect(
        isSame,
        () =>
          `task ${id}, attempt ${attempt.number} at ${attempt.workerId} ended by ${attempt.end?.word} ${attempt.end?.errorCode}, listed as ${JSON.stringify(row)}`,
      );
      const isCounted = row?.outcome !== Outcome.RELEASED;
      evidence.expect(
        row?.counted === isCounted,
        () => `task ${id}, attempt ${attempt.number}: counted is ${row?.counted}`,
      );
      const runs = index
        .runsOf(id)
        .filter((run) => run.attempt === attempt.number && run.workerId === attempt.workerId);
      evidence.expect(
        runs.length <= 1,
        () => `task ${id}, attempt ${attempt.number} began ${runs.length} times at the worker that held it`,
      );
      if (runs.length === 0) neverRan += 1;
      const isResult = attempt.end?.word === "completed";
      evidence.expect(
        !isResult || runs.length === 1,
        () => `task ${id} completed attempt ${attempt.number}, which never began`,
      );
    }
    unheld += index.runsOf(id).filter((run) => attemptNumbered(story, run.attempt)?.workerId !== run.workerId).length;
    for (const [round, counted] of countedByRound(told)) {
      const most = told.find((attempt) => attempt.round === round)?.maxAttempts ?? 0;
      evidence.expect(
        counted <= most,
        () => `task ${id} has ${counted} counted attempts in round ${round + 1}, and may have ${most}`,
      );
    }
  }
  for (const { taskId, token } of index.runs)
    evidence.expect(index.finals.has(taskId), () => `run ${token} is of task ${taskId}, which does not exist`);
  for (const { workerId, token } of index.runs)
    evidence.expect(workerId !== undefined, () => `run ${token} is of no known worker`);
  evidence.note(`${index.runs.length} runs in the journal; ${neverRan} attempts whose handler never began`);
  evidence.note(`${unheard} numbers used up by attempts that nobody spoke of`);
  evidence.note(`${unheld} runs by a worker that did not hold the attempt`);
  return evidence.verdict();
}

function outcomesOf({ end }: AttemptStory): readonly Outcome[] {
  if (end === undefined) return [Outcome.RUNNING];
  switch (end.word) {
    case "completed":
      return [Outcome.SUCCEEDED];
    case "released":
      return [Outcome.RELEASED];
    case "cancelled":
      return [Outcome.CANCELLED];
    default:
      if (end.isLost) return [Outcome.LOST];
      // The deadline can also pass with an attempt that was handed back.
      return end.errorCode === "TOTAL_TIMEOUT" ? [Outcome.FAILED, Outcome.RELEASED] : [Outcome.FAILED];
  }
}

function countedByRound(attempts: readonly AttemptStory[]): Map<number, number> {
  const counted = new Map<number, number>();
  for (const { round, end } of attempts)
    if (end?.word !== "released") counted.set(round, (counted.get(round) ?? 0) + 1);
  return counted;
}
