import type { FilterExpression } from "#libs/tasks/filter/filter-expression.js";

/** The only ids that tasks accepted by a filter can have, as far as it names ids; undefined: it does not limit them. */
export function possibleIds(filter: FilterExpression): ReadonlySet<string> | undefined {
  switch (filter.kind) {
    case "and": {
      const each = filter.operands.flatMap((operand) => possibleIds(operand) ?? []);
      const [first, ...others] = each;
      return first && new Set([...first].filter((id) => others.every((ids) => ids.has(id))));
    }
    case "or": {
      const each = filter.operands.map(possibleIds);
      const ids = new Set<string>();
      for (const some of each) {
        if (some === undefined) return undefined;
        for (const id of some) ids.add(id);
      }
      return ids;
    }
    case "compare": {
      const { target, comparator, value } = filter;
      const isId = target.kind === "field" && target.name === "id" && comparator === "=";
      return isId ? new Set([String(value)]) : undefined;
    }
    case "not":
    case "prefix":
    case "present":
      return undefined;
  }
}
