/** What kind of value a field of a filter holds; decides which comparators and values it takes. */
export type FilterFieldKind = "uuid" | "type" | "queue" | "state" | "integer" | "time" | "labels";

/** A field that filters may name. */
export interface FilterField {
  readonly kind: FilterFieldKind;
  /** Whether a task may be without it; `FIELD:*` asks for that. */
  readonly isOptional: boolean;
  /** Whether each event tells its value: it is fixed when the task is created, or is state, attempt or update time. */
  readonly isWatchable: boolean;
  readonly meaning: string;
}

/** The names a filter may use; everything else is refused. */
export const FILTER_FIELDS = {
  id: { kind: "uuid", isOptional: false, isWatchable: true, meaning: "the task's id" },
  type: { kind: "type", isOptional: false, isWatchable: true, meaning: "the name of its handler" },
  queue: { kind: "queue", isOptional: false, isWatchable: true, meaning: "the queue it waits in" },
  state: { kind: "state", isOptional: false, isWatchable: true, meaning: "where it stands" },
  priority: { kind: "integer", isOptional: false, isWatchable: true, meaning: "higher runs sooner" },
  attempt: { kind: "integer", isOptional: false, isWatchable: true, meaning: "number of the latest attempt, or 0" },
  labels: { kind: "labels", isOptional: true, isWatchable: true, meaning: "its labels" },
  create_time: { kind: "time", isOptional: false, isWatchable: true, meaning: "when it was accepted" },
  update_time: { kind: "time", isOptional: false, isWatchable: true, meaning: "when it last changed" },
  run_time: { kind: "time", isOptional: false, isWatchable: false, meaning: "when it is, or was, due" },
  start_time: { kind: "time", isOptional: true, isWatchable: false, meaning: "when its latest attempt began" },
  end_time: { kind: "time", isOptional: true, isWatchable: false, meaning: "when it ended" },
  cancel_request_time: { kind: "time", isOptional: true, isWatchable: false, meaning: "when its cancel was asked for" },
} as const satisfies Readonly<Record<string, FilterField>>;

/** A name of {@link FILTER_FIELDS}. */
export type FilterFieldName = keyof typeof FILTER_FIELDS;

/** A field that holds one value. */
export type PlainFieldName = Exclude<FilterFieldName, "labels">;

/** Whether a filter may use a name. */
export function isFilterFieldName(name: string): name is FilterFieldName {
  return Object.hasOwn(FILTER_FIELDS, name);
}
