import fc from "fast-check";
import {
  joined,
  negated,
  type FilterExpression,
  type FilterRestriction,
  type FilterTarget,
} from "#libs/tasks/filter/filter-expression.js";
import type { PlainFieldName } from "#libs/tasks/filter/filter-fields.js";
import { TaskState } from "#libs/tasks/task-state.js";

/** Small pools, so that random filters say something about random tasks. */
export const TYPES = ["a", "a.b", "a.bc", "report.generate"];
export const QUEUES = ["default", "mail", "mail-2"];
export const LABEL_KEYS = ["team", "constructor", "hasOwnProperty", "app.example/x", "A-1_b", "a.b", "AND"];
export const LABEL_VALUES = [
  "",
  "docs",
  "docs2",
  "DOCS",
  "1",
  "null",
  "한",
  "😀",
  "😀x",
  "\uffee",
  'a"b',
  "a'b\\",
  "a*",
  "%_",
  "\n",
  "a\0b",
  "a",
];
/** Near each other, before 1970 left out: ids cannot tell such times. */
export const TIMES = [0, 1, 999, 1000, 1_763_000_000_000, 1_763_000_000_001, 1_763_000_000_002];
export const ID_ENDS = ["-7000-8000-000000000000", "-7fff-bfff-ffffffffffff", "-7a00-9000-0000000000ff"];

/** The id of a task that was made at a time. */
export function idAt(timeMs: number, end: string): string {
  const hex = timeMs.toString(16).padStart(12, "0");
  return `${hex.slice(0, 8)}-${hex.slice(8)}${end}`;
}

const field = (name: PlainFieldName): FilterTarget => ({ kind: "field", name });
const anyField = <N extends PlainFieldName>(...names: N[]) => fc.constantFrom(...names).map(field);
const label = fc.constantFrom(...LABEL_KEYS).map((key): FilterTarget => ({ kind: "label", key }));
const order = fc.constantFrom("=", "<", "<=", ">", ">=");
const equal = fc.constant("=" as const);
const id = fc.tuple(fc.constantFrom(...TIMES), fc.constantFrom(...ID_ENDS)).map(([timeMs, end]) => idAt(timeMs, end));
const beyond = Date.parse("9999-12-31T23:59:59.999Z");
const time = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(...TIMES, ...TIMES.map((timeMs) => timeMs + 0.5)) },
  { weight: 1, arbitrary: fc.constantFrom(-1, -0.5, Date.parse("0001-01-01T00:00:00Z"), beyond, beyond + 0.5) },
);
const start = (texts: readonly string[]) =>
  fc.tuple(fc.constantFrom(...texts), fc.nat(4)).map(([text, length]) => [...text].slice(0, length).join(""));

type Compare = Extract<FilterRestriction, { kind: "compare" }>;
const kinds = { compare: "compare", prefix: "prefix", present: "present" } as const;
const compare = (
  target: fc.Arbitrary<FilterTarget>,
  comparator: fc.Arbitrary<Compare["comparator"]>,
  value: fc.Arbitrary<Compare["value"]>,
) => fc.record({ kind: fc.constant(kinds.compare), target, comparator, value });
const prefix = (target: fc.Arbitrary<FilterTarget>, texts: fc.Arbitrary<string>) =>
  fc.record({ kind: fc.constant(kinds.prefix), target, prefix: texts });

const restriction: fc.Arbitrary<FilterRestriction> = fc.oneof(
  compare(anyField("id"), order, id),
  compare(anyField("type"), equal, fc.constantFrom(...TYPES)),
  compare(anyField("queue"), equal, fc.constantFrom(...QUEUES)),
  compare(anyField("state"), equal, fc.constantFrom(...Object.values(TaskState))),
  compare(anyField("priority", "attempt"), order, fc.integer({ min: -2, max: 3 })),
  compare(anyField("create_time", "update_time", "run_time"), order, time),
  compare(anyField("start_time", "end_time", "cancel_request_time"), order, time),
  compare(label, equal, fc.constantFrom(...LABEL_VALUES)),
  prefix(
    anyField("id"),
    fc.tuple(id, fc.nat(36)).map(([text, length]) => text.slice(0, length)),
  ),
  prefix(anyField("type"), start(TYPES)),
  prefix(anyField("queue"), start(QUEUES)),
  prefix(label, start(LABEL_VALUES)),
  fc.record({
    kind: fc.constant(kinds.present),
    target: fc.oneof(label, anyField("start_time", "end_time", "cancel_request_time")),
  }),
);

/** An expression as the parser makes them, up to a few levels deep. */
export const filterExpression: fc.Arbitrary<FilterExpression> = fc.letrec<{ any: FilterExpression }>((tie) => ({
  any: fc.oneof(
    { maxDepth: 4, depthIdentifier: "filter" },
    restriction,
    tie("any").map(negated),
    fc
      .tuple(
        fc.constantFrom("and" as const, "or" as const),
        fc.array(tie("any"), { minLength: 2, maxLength: 4, depthIdentifier: "filter" }),
      )
      .map(([kind, operands]) => joined(kind, operands)),
  ),
})).any;
