import fc from "fast-check";
import type { FilterableTask } from "#libs/tasks/filter/filter-predicate.js";
import { isTerminal, TaskState } from "#libs/tasks/task-state.js";
import {
  idAt,
  ID_ENDS,
  LABEL_KEYS,
  LABEL_VALUES,
  QUEUES,
  TIMES,
  TYPES,
} from "#test/unit/libs/tasks/filter/random-filters.js";

const time = fc.constantFrom(...TIMES);

/** A task in any state, with times and labels or without. */
export const filterableTask: fc.Arbitrary<FilterableTask> = fc
  .record({
    idEnd: fc.constantFrom(...ID_ENDS),
    type: fc.constantFrom(...TYPES),
    queue: fc.constantFrom(...QUEUES),
    state: fc.constantFrom(...Object.values(TaskState)),
    priority: fc.integer({ min: -2, max: 3 }),
    attempt: fc.nat(3),
    labels: fc.dictionary(fc.constantFrom(...LABEL_KEYS), fc.constantFrom(...LABEL_VALUES), { noNullPrototype: true }),
    createTimeMs: time,
    updateTimeMs: time,
    runTimeMs: time,
    startTimeMs: fc.option(time),
    endTimeMs: time,
    cancelRequestTimeMs: fc.option(time),
  })
  .map(({ idEnd, ...task }) => ({
    ...task,
    id: idAt(task.createTimeMs, idEnd),
    endTimeMs: isTerminal(task.state) ? task.endTimeMs : null,
  }));
