import type { TaskEvent } from "#libs/proto/gen/taskwire/v1/task_event.js";
import type { FinalTask, RunHistory } from "#test/robustness/history.js";
import { SelectedLog, type TaskHistories } from "#test/robustness/watches/selected-log.js";
import type { WatchSelection } from "#test/robustness/watches/watch-history.js";

/** The events of all tasks by revision, as WatchTask told each task's history in the end, and when they were known of. */
export class WholeLog implements TaskHistories {
  readonly events: readonly TaskEvent[];
  readonly finals: ReadonlyMap<string, FinalTask>;
  readonly #byRevision: ReadonlyMap<number, TaskEvent>;
  readonly #selected = new Map<string, SelectedLog>();
  /** By time: the greatest revision that was known then. */
  readonly #known: readonly { readonly atMs: number; readonly revision: number }[];

  constructor(history: RunHistory) {
    this.finals = new Map(history.finals.map((final) => [final.snapshot.id, final]));
    this.events = history.finals.flatMap(({ events }) => events).sort((one, other) => one.revision - other.revision);
    this.#byRevision = new Map(this.events.map((event) => [event.revision, event]));
    this.#known = knownRevisions(history);
  }

  /** The last revision there is. */
  get lastRevision(): number {
    return this.events.at(-1)?.revision ?? 0;
  }

  at(revision: number): TaskEvent | undefined {
    return this.#byRevision.get(revision);
  }

  /** The event after another one of the same task. */
  next({ taskId, sequence }: TaskEvent): TaskEvent | undefined {
    return this.finals.get(taskId)?.events[sequence];
  }

  /** What a watcher is to be told. */
  selected(selection: WatchSelection): SelectedLog {
    const key = JSON.stringify([selection.filter, selection.classes]);
    const log = this.#selected.get(key) ?? new SelectedLog(this, selection);
    this.#selected.set(key, log);
    return log;
  }

  /** A revision that the log had reached at a time for certain, as somebody had been told of it. */
  reachedBy(atMs: number): number {
    let from = 0;
    let to = this.#known.length;
    while (from < to) {
      const middle = (from + to) >>> 1;
      if ((this.#known[middle]?.atMs ?? Infinity) < atMs) from = middle + 1;
      else to = middle;
    }
    return this.#known[from - 1]?.revision ?? 0;
  }
}

function knownRevisions({ streams, watches }: RunHistory): { atMs: number; revision: number }[] {
  const seen: { atMs: number; revision: number }[] = [];
  for (const { frames } of streams)
    for (const { atMs, events } of frames) seen.push({ atMs, revision: events?.at(-1)?.revision ?? 0 });
  for (const { frames } of watches)
    for (const { atMs, steps } of frames) seen.push({ atMs, revision: steps.at(-1)?.revision ?? 0 });
  seen.sort((one, other) => one.atMs - other.atMs);
  let greatest = 0;
  for (const entry of seen) {
    greatest = Math.max(greatest, entry.revision);
    entry.revision = greatest;
  }
  return seen;
}
