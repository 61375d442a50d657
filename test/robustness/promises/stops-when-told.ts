import { Evidence, type Verdict } from "#test/robustness/evidence.js";
import type { HandlerRun, HistoryIndex } from "#test/robustness/history-index.js";
import { attemptNumbered, type AttemptStory } from "#test/robustness/task-story.js";
import { TaskCancelled_Phase as Phase } from "#libs/proto/gen/taskwire/v1/task_event.js";

/**
 * No handler code runs after CANCELLED, nor after any other end of its attempt. Two kinds of runs may go on until their worker is
 * reached, and are counted apart: those of a lost worker, and those of a worker that never held the attempt. None begins after CANCELLED.
 */
export function stopsWhenTold(index: HistoryIndex): Verdict {
  const evidence = new Evidence(
    "No handler code runs after CANCELLED or any other end of its attempt",
    "ended attempts",
  );
  const apart = { lost: new Overtime(), unheld: new Overtime(), late: new Overtime() };
  let cancelled = 0;
  for (const { snapshot, events } of index.history.finals) {
    const { id } = snapshot;
    for (const attempt of index.stories.get(id)?.attempts ?? []) {
      const { number, end, workerId } = attempt;
      if (end === undefined) continue;
      if (end.word === "cancelled") cancelled += 1;
      const seenMs = index.seenByMs(id, end.sequence);
      const event = events[end.sequence - 1];
      const isBeforeStart = event?.kind?.$case === "cancelled" && event.kind.value.phase === Phase.BEFORE_START;
      for (const run of index.runsOf(id).filter((one) => one.attempt === number)) {
        if (run.workerId !== workerId) continue;
        if (end.isLost) {
          apart.lost.note(run, run.lastMs - seenMs);
          continue;
        }
        evidence.expect(run.lastMs <= seenMs, () => overtimeText(id, attempt, run, seenMs));
        evidence.expect(
          !isBeforeStart,
          () => `task ${id}, attempt ${number}: ${run.token} ran, and the cancel said that none did`,
        );
      }
    }
    for (const run of index.runsOf(id)) {
      const attempt = attemptNumbered(index.stories.get(id), run.attempt);
      if (attempt?.workerId === run.workerId) continue;
      const seenMs = index.seenByMs(id, endAfter(index, id, attempt));
      apart.unheld.note(run, run.lastMs - seenMs);
      if (run.beganMs > seenMs) apart.late.note(run, run.beganMs - seenMs);
    }
    checkCancels(index, id, evidence);
  }
  evidence.note(`${cancelled} attempts ended CANCELLED`);
  evidence.note(`runs of lost workers: ${apart.lost.text}`);
  evidence.note(`runs that never held their attempt: ${apart.unheld.text}`);
  evidence.note(`runs that only began when their attempt was over, whatever the end: ${apart.late.text}`);
  return evidence.verdict();
}

/** Once a task is CANCELLED nobody begins to run it, not even a worker that has had it in its hands all the while. */
function checkCancels(index: HistoryIndex, id: string, evidence: Evidence): void {
  const { events = [] } = index.finals.get(id) ?? {};
  for (const { sequence, kind, attempt } of events) {
    if (kind?.$case !== "cancelled") continue;
    const isReopened = events[sequence]?.kind?.$case === "reopened";
    const seenMs = index.seenByMs(id, sequence);
    for (const run of index.runsOf(id)) {
      // Where nobody was handed the next attempt, the first one after a reopening has its number.
      if (run.attempt > attempt + (isReopened ? 0 : 1)) continue;
      evidence.expect(
        run.beganMs <= seenMs,
        () =>
          `task ${id}, attempt ${run.attempt}: run ${run.token} at worker ${run.workerId} began ` +
          `${Math.round(run.beganMs - seenMs)} ms after event ${sequence} (cancelled) was seen`,
      );
    }
  }
}

/** Runs that may go on for a while. */
class Overtime {
  #all = 0;
  #after = 0;
  #longestMs = 0;
  #longest = "";

  note({ taskId, attempt, token }: HandlerRun, overtimeMs: number): void {
    this.#all += 1;
    if (overtimeMs <= 0) return;
    this.#after += 1;
    if (overtimeMs <= this.#longestMs) return;
    this.#longestMs = overtimeMs;
    this.#longest = `, at most ${Math.round(overtimeMs)} ms (task ${taskId}, attempt ${attempt}, run ${token})`;
  }

  get text(): string {
    return `${this.#all}, of which ${this.#after} went on after the end was seen${this.#longest}`;
  }
}

function endAfter(index: HistoryIndex, id: string, attempt: AttemptStory | undefined): number {
  return attempt?.end?.sequence ?? index.finals.get(id)?.snapshot.sequence ?? 0;
}

function overtimeText(id: string, { number, end }: AttemptStory, run: HandlerRun, seenMs: number): string {
  const lateMs = Math.round(run.lastMs - seenMs);
  return `task ${id}, attempt ${number}: run ${run.token} wrote its journal ${lateMs} ms after event ${end?.sequence} (${end?.word}) was seen`;
}
