import { Evidence, type Verdict } from "#test/robustness/evidence.js";
import type { CallRecord } from "#test/robustness/history.js";
import type { HistoryIndex } from "#test/robustness/history-index.js";
import type { EventWord } from "#test/robustness/task-story.js";

/** A cancel or retry that was answered with OK is in the history, and a cancelled round ends CANCELLED, or COMPLETED if a result came first. */
export function answersStayTrue(index: HistoryIndex): Verdict {
  const evidence = new Evidence("An accepted cancel or retry is never forgotten", "calls");
  const counts = new Map<string, number>();
  for (const call of index.history.calls) {
    if (call.kind !== "cancel" && call.kind !== "retry") continue;
    const label = `${call.kind} ${call.outcome}`;
    counts.set(label, (counts.get(label) ?? 0) + 1);
    if (call.outcome === "ok") checkCall(index, call, evidence);
  }
  evidence.note([...counts].map(([label, count]) => `${count} ${label}`).join(", "));
  return evidence.verdict();
}

function checkCall(index: HistoryIndex, { kind, taskId, tasks }: CallRecord, evidence: Evidence): void {
  const sequence = tasks[0]?.sequence ?? 0;
  const events = index.finals.get(taskId)?.events ?? [];
  const words = events.map((event) => event.kind?.$case);
  const wanted: readonly (EventWord | undefined)[] =
    kind === "cancel" ? ["cancelRequested", "cancelled"] : ["reopened"];
  const isThere = words.slice(0, sequence).some((word) => wanted.includes(word));
  evidence.expect(
    isThere,
    () => `the ${kind} of task ${taskId} was answered at event ${sequence}, and its history has none`,
  );
  if (kind !== "cancel") return;
  // The request is that of the round the answer spoke of.
  const begin = words.lastIndexOf("reopened", sequence - 1) + 1;
  const next = words.indexOf("reopened", sequence);
  const round = words.slice(begin, next === -1 ? undefined : next);
  const isAsked = round.slice(0, sequence - begin).some((word) => wanted.includes(word));
  const end = round.at(-1);
  evidence.expect(
    !isAsked || end === "cancelled" || end === "completed",
    () => `task ${taskId}: a cancel was answered at event ${sequence}, and the round ended with ${end}`,
  );
  evidence.expect(
    isAsked || words[sequence - 1] === "reopened",
    () => `task ${taskId}: a cancel was answered at event ${sequence}, and its round has no request`,
  );
}
