import type { TaskEvent } from "#libs/proto/gen/taskwire/v1/task_event.js";
import type { WatchedClass } from "#libs/client/tasks-watch.js";
import { filterPredicate } from "#libs/tasks/filter/filter-predicate.js";
import { parseFilter } from "#libs/tasks/filter/parse-filter.js";
import type { FinalTask } from "#test/robustness/history.js";
import type { WatchSelection } from "#test/robustness/watches/watch-history.js";

/** What became of all tasks. */
export interface TaskHistories {
  /** By revision. */
  readonly events: readonly TaskEvent[];
  readonly finals: ReadonlyMap<string, FinalTask>;
}

/** A step of the log that a watcher is to be told. */
export interface DueStep {
  readonly kind: "event" | "unselected";
  readonly event: TaskEvent;
  /** Of a progress event: its task and attempt, of which the latest counts. */
  readonly progressOf: string | undefined;
  /** Equal for the events of a task in one commit. */
  readonly group: string;
}

/** What a watcher with this filter and these classes is to be told, worked out from the histories of the tasks alone. */
export class SelectedLog {
  readonly selection: WatchSelection;
  readonly steps: readonly DueStep[];
  readonly #isMatch: (event: TaskEvent) => boolean;
  readonly #log: TaskHistories;
  readonly #indexes = new Map<number, number>();

  constructor(log: TaskHistories, selection: WatchSelection) {
    this.#log = log;
    this.selection = selection;
    const matches = matchesOf(log, selection.filter);
    this.#isMatch = (event) => matches.has(event);
    this.steps = log.events.flatMap((event) => this.#stepOf(event));
    for (const [index, { event }] of this.steps.entries()) this.#indexes.set(event.revision, index);
  }

  /** Whether a snapshot and the steps after it name every task that matches: of what is silent no step tells. */
  get tellsEveryMatch(): boolean {
    const { filter, classes } = this.selection;
    return classes.length === 4 || (classes.includes("states") && !filter.includes("update_time"));
  }

  /** The place of the step of this revision; undefined: there is none. */
  indexOf(revision: number): number | undefined {
    return this.#indexes.get(revision);
  }

  /** The place of the first step after a revision. */
  indexAfter(revision: number): number {
    let from = 0;
    let to = this.steps.length;
    while (from < to) {
      const middle = (from + to) >>> 1;
      if ((this.steps[middle]?.event.revision ?? Infinity) <= revision) from = middle + 1;
      else to = middle;
    }
    return from;
  }

  /** Whether a task matches after its event of this sequence. */
  isMatchAfter(taskId: string, sequence: number): boolean {
    const event = this.#log.finals.get(taskId)?.events[sequence - 1];
    return event !== undefined && this.#isMatch(event);
  }

  /** The tasks that match at every moment from a revision to before another one, with their event then. */
  matchesFrom(revision: number, beforeRevision: number): Map<string, TaskEvent> {
    const found = new Map<string, TaskEvent>();
    for (const [id, { events }] of this.#log.finals) {
      const after = events.findIndex((event) => event.revision > revision);
      const rest = events.slice(after === -1 ? events.length : after);
      const event = events.at(after === -1 ? -1 : after - 1);
      if (event === undefined || after === 0) continue;
      const isSteady = [event, ...rest.filter((later) => later.revision < beforeRevision)].every(this.#isMatch);
      if (isSteady) found.set(id, event);
    }
    return found;
  }

  #stepOf(event: TaskEvent): DueStep[] {
    const { taskId, attempt, time } = event;
    const eventClass = classOf(event);
    const group = `${taskId} ${time?.getTime()}`;
    if (this.#isMatch(event)) {
      const progressOf = eventClass === "progress" ? `${taskId} ${attempt}` : undefined;
      return this.selection.classes.includes(eventClass) ? [{ kind: "event", event, progressOf, group }] : [];
    }
    const before = this.#log.finals.get(taskId)?.events[event.sequence - 2];
    const leaves = before !== undefined && this.#isMatch(before);
    return leaves ? [{ kind: "unselected", event, progressOf: undefined, group }] : [];
  }
}

/** The class of an event, as the protocol has it. */
export function classOf({ kind }: TaskEvent): WatchedClass {
  switch (kind?.$case) {
    case "progress":
      return "progress";
    case "log":
      return "logs";
    case "output":
      return "output";
    default:
      return "states";
  }
}

/** The events after which their task matches. */
function matchesOf(log: TaskHistories, filter: string): ReadonlySet<TaskEvent> {
  const parsed = parseFilter(filter);
  if (!parsed.ok) throw new Error(`the filter ${filter} is wrong`);
  const predicate = filterPredicate(parsed.expression);
  const matches = new Set<TaskEvent>();
  for (const { snapshot, constants, events } of log.finals.values())
    for (const event of events) if (predicate(taskAfter(event, snapshot, constants))) matches.add(event);
  return matches;
}

function taskAfter(
  { state, attempt, time }: TaskEvent,
  { id }: FinalTask["snapshot"],
  constants: FinalTask["constants"],
): Parameters<ReturnType<typeof filterPredicate>>[0] {
  return {
    ...constants,
    ...{ id, attempt, updateTimeMs: time?.getTime() ?? 0 },
    state: Number(state) as FinalTask["snapshot"]["state"],
    // No filter of a watch names these.
    ...{ runTimeMs: 0, startTimeMs: null, endTimeMs: null, cancelRequestTimeMs: null },
  };
}
