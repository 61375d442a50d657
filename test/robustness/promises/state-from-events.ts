import { Evidence, type Verdict } from "#test/robustness/evidence.js";
import type { TaskSnapshot } from "#test/robustness/history.js";
import type { HistoryIndex } from "#test/robustness/history-index.js";
import { stateName } from "#test/robustness/task-story.js";

/** How a task stands is what its events add up to: in the end, and in every answer that was ever given. */
export function stateFromEvents(index: HistoryIndex): Verdict {
  const evidence = new Evidence("The stored state is what the events add up to", "tasks and answers");
  for (const { snapshot, events } of index.history.finals) {
    expectSame(index, snapshot, "the stored task", evidence);
    const { id } = snapshot;
    const story = index.stories.get(id);
    for (const { sequence, state } of events)
      evidence.expect(
        Number(state) === story?.states[sequence - 1],
        () =>
          `task ${id}, event ${sequence} says ${state}, and the events add up to ${stateName(story?.states[sequence - 1])}`,
      );
    const holder = story?.attempts.at(-1)?.workerId ?? "";
    evidence.expect(
      snapshot.workerId === holder,
      () => `task ${id} names worker ${snapshot.workerId}, its events ${holder}`,
    );
    const last = events.at(-1)?.kind;
    let errorCode = "";
    if (last?.$case === "failed") errorCode = last.value.error?.code ?? "";
    if (last?.$case === "cancelled") errorCode = "CANCELLED";
    evidence.expect(
      snapshot.errorCode === errorCode,
      () => `task ${id} has the error ${snapshot.errorCode}, its last event ${errorCode}`,
    );
    if (last?.$case !== "completed" || last.value.resultOmitted) continue;
    const told = JSON.stringify(last.value.result ?? null);
    evidence.expect(
      snapshot.result === told,
      () => `task ${id} has the result ${snapshot.result}, its last event ${told}`,
    );
  }
  for (const { kind, tasks } of index.history.calls)
    for (const task of tasks) expectSame(index, task, `the answer to a ${kind}`, evidence);
  for (const { stream, frames } of index.history.streams)
    for (const { snapshot } of frames)
      if (snapshot !== undefined) expectSame(index, snapshot, `the snapshot of stream ${stream}`, evidence);
  return evidence.verdict();
}

function expectSame(index: HistoryIndex, told: TaskSnapshot, where: string, evidence: Evidence): void {
  const { id, sequence, state, attempt } = told;
  const story = index.stories.get(id);
  const place = sequence - 1;
  evidence.expect(
    story?.states[place] === state && story.attemptNumbers[place] === attempt,
    () =>
      `task ${id}: ${where} said ${stateName(state)}, attempt ${attempt} at event ${sequence}; the events add up to ` +
      `${stateName(story?.states[place])}, attempt ${story?.attemptNumbers[place]}`,
  );
}
