import { BinaryWriter } from "@bufbuild/protobuf/wire";
import { Task, TaskView } from "#libs/proto/gen/taskwire/v1/task.js";
import type { ListTasksRequest } from "#libs/proto/gen/taskwire/v1/task_service.js";
import { filterErrorText } from "#libs/tasks/filter/filter-error.js";
import { parseFilter } from "#libs/tasks/filter/parse-filter.js";
import { MAX_PAGE_BYTES, pageLimit, plainOrder } from "#task-service/rpc/page-request.js";
import { filterFingerprint, makePageToken, readPageToken } from "#task-service/rpc/page-token.js";
import { presentTask } from "#task-service/rpc/present-task.js";
import { Violations } from "#task-service/rpc/violations.js";
import type { ListQuery } from "#task-service/store/read-query.js";
import type { TaskRecord } from "#task-service/store/task-record.js";
import type { TaskStore } from "#task-service/store/task-store.js";

/** Fields `tasks` (1) and `next_page_token` (2) of `taskwire.v1.ListTasksResponse`, length-delimited. */
const TASKS_TAG = (1 << 3) | 2;
const NEXT_PAGE_TOKEN_TAG = (2 << 3) | 2;

const ORDERS: ReadonlyMap<string, Pick<ListQuery, "sortBy" | "isDescending">> = new Map([
  ["", { sortBy: "id", isDescending: true }],
  ["id", { sortBy: "id", isDescending: false }],
  ["id desc", { sortBy: "id", isDescending: true }],
  ["create_time", { sortBy: "id", isDescending: false }],
  ["create_time desc", { sortBy: "id", isDescending: true }],
  ["update_time", { sortBy: "update_time", isDescending: false }],
  ["update_time desc", { sortBy: "update_time", isDescending: true }],
]);

/** ListTasks. Answers with the encoded `taskwire.v1.ListTasksResponse`, cut where it would exceed 2 MiB. */
export async function listTasks(store: TaskStore, request: ListTasksRequest): Promise<Uint8Array> {
  const violations = new Violations();
  const orderBy = plainOrder(request.orderBy);
  const order = ORDERS.get(orderBy);
  violations.expect(
    order !== undefined,
    "order_by",
    "must be create_time, update_time or id, optionally followed by desc",
  );
  const limit = pageLimit(request.pageSize, violations);
  const isView = TaskView[request.view] !== undefined && request.view !== TaskView.UNRECOGNIZED;
  violations.expect(isView, "view", "must be TASK_VIEW_BASIC or TASK_VIEW_FULL");
  const filter = parseFilter(request.filter);
  violations.expect(filter.ok, "filter", filter.ok ? "" : `is wrong at ${filterErrorText(filter.error)}`);
  const expression = filter.ok ? filter.expression : null;
  const fingerprint = filterFingerprint(expression, orderBy);
  // Which filter a token belongs to cannot be told while the filter is wrong.
  const after = request.pageToken === "" || !filter.ok ? null : readPageToken(request.pageToken, fingerprint);
  violations.expect(
    after !== undefined,
    "page_token",
    "does not belong to this filter and order; begin again without it",
  );
  violations.throwIfAny();
  const list: ListQuery = {
    filter: expression,
    sortBy: order?.sortBy ?? "id",
    isDescending: order?.isDescending ?? true,
    after: after ?? null,
    limit,
    isFull: request.view === TaskView.TASK_VIEW_FULL,
    maxBytes: MAX_PAGE_BYTES,
  };
  const { tasks, hasMore } = await store.read({ kind: "listTasks", list });
  const writer = new BinaryWriter();
  const count = writePage(writer, tasks);
  const last = tasks[count - 1];
  if ((hasMore || count < tasks.length) && last !== undefined) {
    writer.uint32(NEXT_PAGE_TOKEN_TAG).string(makePageToken(fingerprint, last));
  }
  return writer.finish();
}

/** Writes tasks as long as they fit and returns how many; the first one always does. JSON grows up to sixfold as protobuf. */
function writePage(writer: BinaryWriter, tasks: readonly TaskRecord[]): number {
  let bytes = 0;
  for (const [index, record] of tasks.entries()) {
    const body = Task.encode(presentTask(record)).finish();
    bytes += body.length;
    if (index > 0 && bytes > MAX_PAGE_BYTES) return index;
    writer.uint32(TASKS_TAG).bytes(body);
  }
  return tasks.length;
}
