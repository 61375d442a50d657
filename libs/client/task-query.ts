import { TaskView, type Task_State as State } from "#libs/proto/gen/taskwire/v1/task.js";
import type { ListTasksRequest } from "#libs/proto/gen/taskwire/v1/task_service.js";

/** Which tasks to list. Fields are joined by AND, the values of one field by OR; nothing given means all tasks. */
export interface ListOptions {
  /** At most 1,000. */
  readonly ids?: readonly string[];
  /** At most 100. */
  readonly types?: readonly string[];
  /** At most 100. */
  readonly queues?: readonly string[];
  readonly states?: readonly State[];
  /** Labels that must be present with exactly this value; at most 32. */
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
    filter: {
      ids: [...(options.ids ?? [])],
      types: [...(options.types ?? [])],
      queues: [...(options.queues ?? [])],
      states: [...(options.states ?? [])],
      labels: options.labels ?? {},
      createTimeFrom: options.createTimeFrom,
      createTimeBefore: options.createTimeBefore,
      updateTimeFrom: options.updateTimeFrom,
      updateTimeBefore: options.updateTimeBefore,
    },
    orderBy: options.orderBy ?? "",
    pageSize: options.pageSize ?? 0,
    pageToken: options.pageToken ?? "",
    view: options.full === true ? TaskView.TASK_VIEW_FULL : TaskView.TASK_VIEW_BASIC,
  };
}
