import type { FilterValue } from "#libs/tasks/filter/filter-expression.js";
import type { FilterFieldKind } from "#libs/tasks/filter/filter-fields.js";
import { parseFilterTime } from "#libs/tasks/filter/filter-time.js";
import { isQueueName, isTypeName, isUuid } from "#libs/tasks/names.js";
import { TaskState } from "#libs/tasks/task-state.js";

/** How the values of a kind are written. */
export interface ValueForm {
  /** What they are, for people; ends the sentence “expected …”. */
  readonly expected: string;
  /** The value of a text; undefined when it is none of this kind. */
  readonly read: (text: string) => FilterValue | undefined;
  /** The beginning of a value, from the text before the star; undefined: not of this kind. Absent: the kind has no patterns. */
  readonly readPrefix?: (text: string) => string | undefined;
}

const INTEGER = /^-?\d+$/;
const ID_START = /^[0-9a-f-]{0,36}$/i;
const NAME_START = /^[a-z0-9_.-]{0,100}$/;

/** The forms of all kinds; `labels` is that of a label's value. */
export const VALUE_FORMS: Readonly<Record<FilterFieldKind, ValueForm>> = {
  uuid: {
    expected: 'a UUID, or the beginning of one as in "0199*"',
    read: (text) => (isUuid(text) ? text.toLowerCase() : undefined),
    readPrefix: (text) => (ID_START.test(text) ? text.toLowerCase() : undefined),
  },
  type: {
    expected: 'a task type such as report.generate, or the beginning of one as in "report.*"',
    read: (text) => (isTypeName(text) ? text : undefined),
    readPrefix: (text) => (NAME_START.test(text) ? text : undefined),
  },
  queue: {
    expected: 'a queue name, or the beginning of one as in "mail-*"',
    read: (text) => (isQueueName(text) ? text : undefined),
    readPrefix: (text) => (NAME_START.test(text) ? text : undefined),
  },
  state: {
    expected: `one of ${Object.keys(TaskState).join(", ")}`,
    read: (text) => Object.entries(TaskState).find(([name]) => name === text)?.[1],
  },
  integer: { expected: "a whole number", read: readInteger },
  time: { expected: "a time such as 2026-03-01T08:00:00Z", read: parseFilterTime },
  labels: { expected: "a value", read: (text) => text, readPrefix: (text) => text },
};

function readInteger(text: string): number | undefined {
  const value = INTEGER.test(text) ? Number(text) : Number.NaN;
  // Adding 0 makes 0 of -0.
  return Number.isSafeInteger(value) ? value + 0 : undefined;
}

/** The name of a state by its number. */
export function stateName(state: number): string {
  const found = Object.entries(TaskState).find(([, number]) => number === state);
  if (found === undefined) throw new RangeError(`${state} is no state`);
  return found[0];
}
