import type { FilterExpression } from "#libs/tasks/filter/filter-expression.js";
import { TaskState } from "#libs/tasks/task-state.js";

const ALL: readonly TaskState[] = Object.values(TaskState);

/**
 * The states that tasks accepted by a filter can have, as far as what it says about states tells. A task in any other state does not match;
 * one in these need not.
 */
export function possibleStates(expression: FilterExpression): readonly TaskState[] {
  return statesOf(expression, false);
}

/** The same for the opposite of an expression where `isNegated`. */
function statesOf(expression: FilterExpression, isNegated: boolean): readonly TaskState[] {
  switch (expression.kind) {
    case "not":
      return statesOf(expression.operand, !isNegated);
    case "and":
    case "or": {
      const each = expression.operands.map((operand) => statesOf(operand, isNegated));
      const isIntersection = (expression.kind === "and") !== isNegated;
      return ALL.filter((state) =>
        isIntersection ? each.every((states) => states.includes(state)) : each.some((states) => states.includes(state)),
      );
    }
    case "compare": {
      const { target, value } = expression;
      if (target.kind !== "field" || target.name !== "state") return ALL;
      return ALL.filter((state) => (state === value) !== isNegated);
    }
    case "prefix":
    case "present":
      return ALL;
  }
}
