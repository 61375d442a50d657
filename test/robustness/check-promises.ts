import type { Verdict } from "#test/robustness/evidence.js";
import type { RunHistory } from "#test/robustness/history.js";
import { HistoryIndex } from "#test/robustness/history-index.js";
import { acceptedTasksKept } from "#test/robustness/promises/accepted-tasks-kept.js";
import { answersStayTrue } from "#test/robustness/promises/answers-stay-true.js";
import { attemptsAddUp } from "#test/robustness/promises/attempts-add-up.js";
import { databaseVerifies } from "#test/robustness/promises/database-verifies.js";
import { noStaleEffects } from "#test/robustness/promises/no-stale-effects.js";
import { oneEndPerRound } from "#test/robustness/promises/one-end-per-round.js";
import { sameWhenReadAgain } from "#test/robustness/promises/same-when-read-again.js";
import { stateFromEvents } from "#test/robustness/promises/state-from-events.js";
import { stopsWhenTold } from "#test/robustness/promises/stops-when-told.js";
import { streamsInOrder } from "#test/robustness/promises/streams-in-order.js";
import { watchGuarantees } from "#test/robustness/promises/watch-guarantees.js";
import { wholeSequences } from "#test/robustness/promises/whole-sequences.js";

/** Holds what a run has seen against every promise. */
export function checkPromises(history: RunHistory): Verdict[] {
  const index = new HistoryIndex(history);
  return [
    acceptedTasksKept(index),
    oneEndPerRound(index),
    noStaleEffects(index),
    stopsWhenTold(index),
    attemptsAddUp(index),
    wholeSequences(index),
    ...sameWhenReadAgain(index),
    streamsInOrder(index),
    stateFromEvents(index),
    answersStayTrue(index),
    ...watchGuarantees(index),
    databaseVerifies(index),
  ];
}
