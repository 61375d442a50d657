import { TaskView, Task_State as State } from "#libs/proto/gen/taskwire/v1/task.js";
import type { ListTasksRequest } from "#libs/proto/gen/taskwire/v1/task_service.js";
import { quotedForFilter } from "#libs/tasks/filter/filter-text.js";

/**
 * Which tasks to list. Everything given must hold; of the values of a list one must hold; nothing given means all tasks.
 *
 * The service takes 200 restrictions, each id, type, queue, state, label and time being one, and 16,000 characters.
 */
export interface ListOptions {
  /**
   * A filter in the language of AIP-160, for example `type = "report.*" AND attempt > 1`. Errors tell a position in the whole filter: it
   * comes last, after what the options below say.
   */
  readonly filter?: string;
  readonly ids?: readonly string[];
  readonly types?: readonly string[];
  readonly queues?: readonly string[];
  readonly states?: readonly State[];
  /** Labels that must be present with exactly this value. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Created at or after this time. */
  readonly createTimeFrom?: Date;
  /** Created before this time. */
  readonly createTimeBefore?: Date;
  /** Updated at or after this time. */
  readonly updateTimeFrom?: Date;
  /** Updated before this time. */
  readonly updateTimeBefore?: Date;
  /** Default: the latest created first. */
  readonly orderBy?: `${"create_time" | "update_time" | "id"}${"" | " desc"}`;
  /** Tasks per page; [1, 1000], default 50. */
  readonly pageSize?: number;
  /** Whether tasks carry payload and result; default false. */
  readonly full?: boolean;
}

/** One page of a list. */
export interface ListPageOptions extends ListOptions {
  /** `nextPageToken` of the page before; default: the first page. */
  readonly pageToken?: string;
}

/** How to go through a task's history. */
export interface EventsOptions {
  /** `asc`, the default: the first event first; `desc`: the latest first. */
  readonly order?: "asc" | "desc";
  /** Events per page; [1, 1000], default 50. */
  readonly pageSize?: number;
}

/** The request of a page. */
export function listRequest(options: ListPageOptions): ListTasksRequest {
  return {
    filter: listFilter(options),
    orderBy: options.orderBy ?? "",
    pageSize: options.pageSize ?? 0,
    pageToken: options.pageToken ?? "",
    view: options.full === true ? TaskView.TASK_VIEW_FULL : TaskView.TASK_VIEW_BASIC,
  };
}

/** The filter of all that the options ask for; empty: all tasks. What is malformed is left for the service to refuse. */
export function listFilter(options: ListOptions): string {
  const parts = [
    anyOf("id", options.ids, quotedForFilter),
    anyOf("type", options.types, quotedForFilter),
    anyOf("queue", options.queues, quotedForFilter),
    anyOf("state", options.states, (state) => quotedForFilter(State[state])),
    ...Object.entries(options.labels ?? {}).map(
      ([key, value]) => `labels.${quotedForFilter(key)} = ${quotedForFilter(value)}`,
    ),
    timeBound("create_time >=", options.createTimeFrom),
    timeBound("create_time <", options.createTimeBefore),
    timeBound("update_time >=", options.updateTimeFrom),
    timeBound("update_time <", options.updateTimeBefore),
    // AND binds loosest, so this needs no parentheses; and with none to close it can only narrow down what stands before it.
    options.filter?.trim() ?? "",
  ];
  return parts.filter((part) => part !== "").join(" AND ");
}

function anyOf<T>(field: string, values: readonly T[] | undefined, textOf: (value: T) => string): string {
  return (values ?? []).map((value) => `${field} = ${textOf(value)}`).join(" OR ");
}

function timeBound(comparison: string, time: Date | undefined): string {
  if (time === undefined) return "";
  return `${comparison} ${Number.isNaN(time.getTime()) ? '"no time"' : time.toISOString()}`;
}
