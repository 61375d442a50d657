import type { FilterExpression } from "#libs/tasks/filter/filter-expression.js";
import { possibleIds } from "#libs/tasks/filter/possible-ids.js";
import { filterPredicate, type FilterableTask, type FilterPredicate } from "#libs/tasks/filter/filter-predicate.js";
import type { TaskState } from "#libs/tasks/task-state.js";
import { uuidTimeMs } from "#libs/tasks/uuid.js";
import type { EventHead } from "#task-service/store/log/event-head.js";

/** Which events of the log a watcher wants. */
export interface LogSelection {
  /** Null: all tasks. It names watchable fields only. */
  readonly filter: FilterExpression | null;
  /** Bits of `EventClass`. */
  readonly classes: number;
}

/** What never changes about a task, as far as filters look at it. */
export interface TaskConstants {
  readonly id: string;
  readonly type: string;
  readonly queue: string;
  readonly priority: number;
  readonly labelsJson: string;
}

/** How a task stood after an event. */
export type TaskMoment = Pick<EventHead, "timeMs" | "state" | "attempt">;

/** What an event is to a watcher; undefined: nothing. */
export type LogVerdict = "event" | "unselected" | undefined;

/** Decides about events, one after the other. */
export class LogSelector {
  readonly #isMatch: FilterPredicate;
  readonly #classes: number;
  /** Whether a task that matches can cease to. Where it cannot, it matches for ever or never. */
  readonly #changes: boolean;
  readonly #ids: ReadonlySet<string> | undefined;

  constructor({ filter, classes }: LogSelection) {
    this.#isMatch = filterPredicate(filter);
    this.#classes = classes;
    this.#changes = filter !== null && canChange(filter);
    this.#ids = filter === null ? undefined : possibleIds(filter);
  }

  /** The only tasks that can match; undefined: each can. */
  get ids(): ReadonlySet<string> | undefined {
    return this.#ids;
  }

  /** Whether it may ask how a task stood before an event. */
  get needsBefore(): boolean {
    return this.#changes;
  }

  /** Whether an event of a task can matter, whatever it says. */
  mayMatter(task: TaskConstants): boolean {
    if (this.#ids !== undefined && !this.#ids.has(task.id)) return false;
    return this.#changes || this.#isMatch(new MomentaryTask(task, NO_MOMENT));
  }

  /** `before`: how the task stood after the event before; null: there was none. Asked for only where it matters. */
  judge(task: TaskConstants, head: EventHead, before: () => TaskMoment | null): LogVerdict {
    if (this.#isMatch(new MomentaryTask(task, head)))
      return (head.eventClass & this.#classes) > 0 ? "event" : undefined;
    if (!this.#changes) return undefined;
    const earlier = before();
    return earlier !== null && this.#isMatch(new MomentaryTask(task, earlier)) ? "unselected" : undefined;
  }
}

const NO_MOMENT: TaskMoment = { timeMs: 0, state: 0, attempt: 0 };

function canChange(filter: FilterExpression): boolean {
  switch (filter.kind) {
    case "and":
    case "or":
      return filter.operands.some(canChange);
    case "not":
      return canChange(filter.operand);
    case "compare":
    case "prefix":
    case "present": {
      const { target } = filter;
      return (
        target.kind === "field" &&
        (target.name === "state" || target.name === "attempt" || target.name === "update_time")
      );
    }
  }
}

type Labels = Readonly<Record<string, string>>;

const parsedLabels = new WeakMap<TaskConstants, Labels>();

/** A task at a moment, as filters see it. */
class MomentaryTask implements FilterableTask {
  readonly #task: TaskConstants;
  readonly state: TaskState;
  readonly attempt: number;
  readonly updateTimeMs: number;
  // No filter of a watch asks for these.
  readonly runTimeMs = 0;
  readonly startTimeMs = null;
  readonly endTimeMs = null;
  readonly cancelRequestTimeMs = null;

  constructor(task: TaskConstants, { state, attempt, timeMs }: TaskMoment) {
    this.#task = task;
    this.state = state as TaskState;
    this.attempt = attempt;
    this.updateTimeMs = timeMs;
  }

  get id(): string {
    return this.#task.id;
  }

  get type(): string {
    return this.#task.type;
  }

  get queue(): string {
    return this.#task.queue;
  }

  get priority(): number {
    return this.#task.priority;
  }

  get labels(): Labels {
    const known = parsedLabels.get(this.#task);
    if (known !== undefined) return known;
    const labels = JSON.parse(this.#task.labelsJson) as Labels;
    parsedLabels.set(this.#task, labels);
    return labels;
  }

  get createTimeMs(): number {
    return uuidTimeMs(this.#task.id);
  }
}
