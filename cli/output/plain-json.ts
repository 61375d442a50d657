import type { Task, TaskAttempt } from "#libs/proto/gen/taskwire/v1/task.js";
import { Task_State as State, TaskAttempt_Outcome as Outcome } from "#libs/proto/gen/taskwire/v1/task.js";
import {
  LogLine_Level as Level,
  TaskCancelled_Phase as Phase,
  type TaskEvent,
} from "#libs/proto/gen/taskwire/v1/task_event.js";
import type { TaskExplanation } from "#libs/proto/gen/taskwire/v1/task_explanation.js";
import type { Unselected } from "#libs/proto/gen/taskwire/v1/task_service.js";
import type { Worker } from "#libs/proto/gen/taskwire/v1/worker_service.js";

/** What `JSON.stringify` can say. */
export type PlainJson = string | number | boolean | null | PlainJson[] | { [name: string]: PlainJson };

const ENUMS: Readonly<Record<string, Readonly<Record<number, string>>>> = {
  state: State,
  level: Level,
  phase: Phase,
  outcome: Outcome,
};
/** Fields whose content belongs to users and is passed on untouched. */
const USER_CONTENT = new Set(["payload", "result", "details", "fields", "labels"]);

/**
 * A message of the API as JSON, as protobuf's own JSON mapping says it: lowerCamelCase names, enums by name, times in RFC 3339, unset
 * fields left out. Other than there, 64-bit numbers are numbers, and an event's content is found under the name of its kind.
 */
export function toPlainJson(message: Task | TaskAttempt | TaskEvent | TaskExplanation | Unselected | Worker): {
  [name: string]: PlainJson;
} {
  return plainObject(message);
}

function plain(value: unknown, name: string): PlainJson {
  if (value === null || value === undefined) return null;
  if (typeof value === "number") return ENUMS[name]?.[value] ?? value;
  if (typeof value === "string" || typeof value === "boolean") return value;
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return value.map((item: unknown) => plain(item, ""));
  return typeof value === "object" ? plainObject(value) : null;
}

function plainObject(value: object): { [name: string]: PlainJson } {
  const result: Record<string, PlainJson> = {};
  for (const [name, field] of Object.entries(value) as [string, unknown][]) {
    if (field === undefined || field === "") continue;
    if (USER_CONTENT.has(name)) result[name] = field as PlainJson;
    else if (isOneof(field))
      Object.assign(result, { kind: field.$case, [field.$case]: plain(field.value, field.$case) });
    else result[name] = plain(field, name);
  }
  return result;
}

function isOneof(field: unknown): field is { readonly $case: string; readonly value: unknown } {
  return (
    typeof field === "object" &&
    field !== null &&
    "$case" in field &&
    "value" in field &&
    typeof field.$case === "string"
  );
}
