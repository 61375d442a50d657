import type { FilterExpression } from "#libs/tasks/filter/filter-expression.js";
import { FILTER_FIELDS, type PlainFieldName } from "#libs/tasks/filter/filter-fields.js";

/** A field that a filter names though events do not tell its value; undefined: there is none, and the filter can select from a stream of events. */
export function unwatchableField(filter: FilterExpression): PlainFieldName | undefined {
  switch (filter.kind) {
    case "and":
    case "or":
      for (const operand of filter.operands) {
        const found = unwatchableField(operand);
        if (found !== undefined) return found;
      }
      return undefined;
    case "not":
      return unwatchableField(filter.operand);
    case "compare":
    case "prefix":
    case "present": {
      const { target } = filter;
      return target.kind === "field" && !FILTER_FIELDS[target.name].isWatchable ? target.name : undefined;
    }
  }
}
