import { BinaryWriter } from "@bufbuild/protobuf/wire";
import { Task, type Task_State, TaskView } from "#libs/proto/gen/taskwire/v1/task.js";
import type { ListTasksRequest, TaskFilter } from "#libs/proto/gen/taskwire/v1/task_service.js";
import { isLabelKey, isQueueName, isTypeName, isUuid } from "#libs/tasks/names.js";
import { TaskState } from "#libs/tasks/task-state.js";
import { filterFingerprint, makePageToken, readPageToken } from "#task-service/rpc/page-token.js";
import { presentTask } from "#task-service/rpc/present-task.js";
import { Violations } from "#task-service/rpc/violations.js";
import type { ListQuery } from "#task-service/store/read-query.js";
import type { TaskRecord } from "#task-service/store/task-record.js";
import type { TaskStore } from "#task-service/store/task-store.js";

const DEFAULT_PAGE_SIZE = 50;
const MAX_PAGE_SIZE = 1000;
const MAX_PAGE_BYTES = 2 * 1024 * 1024;
const MAX_IDS = 1000;
const MAX_VALUES = 100;
const MAX_LABELS = 32;
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
  const { filter } = request;
  const orderBy = request.orderBy.trim().replace(/\s+/g, " ").replace(/ asc$/, "");
  const order = ORDERS.get(orderBy);
  violations.expect(
    order !== undefined,
    "order_by",
    "must be create_time, update_time or id, optionally followed by desc",
  );
  violations.expect(request.pageSize >= 0, "page_size", "must not be negative");
  const isView = TaskView[request.view] !== undefined && request.view !== TaskView.UNRECOGNIZED;
  violations.expect(isView, "view", "must be TASK_VIEW_BASIC or TASK_VIEW_FULL");
  if (filter !== undefined) validateFilter(filter, violations);
  const fingerprint = filterFingerprint(filter, orderBy);
  const after = request.pageToken === "" ? null : readPageToken(request.pageToken, fingerprint);
  violations.expect(
    after !== undefined,
    "page_token",
    "does not belong to this filter and order; begin again without it",
  );
  violations.throwIfAny();
  const list: ListQuery = {
    ids: (filter?.ids ?? []).map((id) => id.toLowerCase()),
    types: filter?.types ?? [],
    queues: filter?.queues ?? [],
    states: (filter?.states ?? []).filter(isState),
    labels: Object.entries(filter?.labels ?? {}),
    createTimeFromMs: filter?.createTimeFrom?.getTime() ?? null,
    createTimeBeforeMs: filter?.createTimeBefore?.getTime() ?? null,
    updateTimeFromMs: filter?.updateTimeFrom?.getTime() ?? null,
    updateTimeBeforeMs: filter?.updateTimeBefore?.getTime() ?? null,
    sortBy: order?.sortBy ?? "id",
    isDescending: order?.isDescending ?? true,
    after: after ?? null,
    limit: request.pageSize === 0 ? DEFAULT_PAGE_SIZE : Math.min(request.pageSize, MAX_PAGE_SIZE),
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

function validateFilter(filter: TaskFilter, found: Violations): void {
  const check = (
    name: string,
    values: readonly string[],
    most: number,
    isRight: (value: string) => boolean,
    what: string,
  ) => {
    found.expect(values.length <= most, `filter.${name}`, `must hold at most ${most}`);
    for (const [index, value] of values.entries()) found.expect(isRight(value), `filter.${name}[${index}]`, what);
  };
  check("ids", filter.ids, MAX_IDS, isUuid, "must be a UUID");
  check("types", filter.types, MAX_VALUES, isTypeName, "must be a task type");
  check("queues", filter.queues, MAX_VALUES, isQueueName, "must be a queue name");
  check("states", filter.states.map(String), MAX_VALUES, (state) => isState(Number(state)), "must be a known state");
  const labels = Object.entries(filter.labels);
  found.expect(labels.length <= MAX_LABELS, "filter.labels", `must hold at most ${MAX_LABELS}`);
  for (const [key] of labels)
    found.expect(isLabelKey(key), `filter.labels[${JSON.stringify(key)}]`, "must have a valid key");
  checkRange(filter.createTimeFrom, filter.createTimeBefore, "create_time", found);
  checkRange(filter.updateTimeFrom, filter.updateTimeBefore, "update_time", found);
}

function checkRange(from: Date | undefined, before: Date | undefined, name: string, found: Violations): void {
  for (const [end, time] of [
    ["from", from],
    ["before", before],
  ] as const) {
    found.expect(
      !Number.isNaN(time?.getTime()),
      `filter.${name}_${end}`,
      "must be a time between the years 1 and 9999",
    );
  }
  const isOrdered = from === undefined || before === undefined || from.getTime() <= before.getTime();
  found.expect(isOrdered, `filter.${name}_from`, `must not be after ${name}_before`);
}

function isState(state: Task_State | number): state is TaskState {
  return state >= TaskState.PENDING && state <= TaskState.CANCELLED;
}
