import { expect } from "chai";
import fc from "fast-check";
import { possibleStates } from "#libs/tasks/filter/possible-states.js";
import { filterPredicate } from "#libs/tasks/filter/filter-predicate.js";
import { filterOf } from "#test/support/filter-of.js";
import { filterExpression } from "#test/unit/libs/tasks/filter/random-filters.js";
import { filterableTask } from "#test/unit/libs/tasks/filter/random-tasks.js";

describe("possibleStates", () => {
  it("reads what a filter says about states, wherever it says it", () => {
    const cases: readonly [string, readonly number[]][] = [
      ["queue = a", [1, 2, 3, 4, 5]],
      ["state = PENDING queue = a", [1]],
      ["state = FAILED OR state = CANCELLED AND labels:x", [4, 5]],
      ["state = FAILED OR queue = a", [1, 2, 3, 4, 5]],
      ["state != COMPLETED -(state = FAILED OR state = CANCELLED OR queue = a)", [1, 2]],
      ["-(state != FAILED queue = a)", [1, 2, 3, 4, 5]],
      ["-(state != FAILED OR queue = a)", [4]],
      ["state = PENDING state = RUNNING", []],
    ];
    for (const [filter, states] of cases) {
      const expression = filterOf(filter);
      expect(expression === null ? [] : possibleStates(expression), filter).to.deep.equal(states);
    }
  });

  it("leaves out no state that a matching task has", () => {
    fc.assert(
      fc.property(filterExpression, fc.array(filterableTask, { minLength: 10 }), (expression, tasks) => {
        const states = possibleStates(expression);
        for (const task of tasks.filter(filterPredicate(expression))) expect(states).to.include(task.state);
      }),
    );
  });
});
