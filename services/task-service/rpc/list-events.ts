import { BinaryWriter } from "@bufbuild/protobuf/wire";
import type { ListTaskEventsRequest } from "#libs/proto/gen/taskwire/v1/task_service.js";
import { MAX_PAGE_BYTES, pageLimit, plainOrder } from "#task-service/rpc/page-request.js";
import { makePageToken, readPageToken } from "#task-service/rpc/page-token.js";
import { taskNotFound } from "#task-service/rpc/read-task.js";
import { requireTaskId, Violations } from "#task-service/rpc/violations.js";
import type { TaskHistory } from "#task-service/store/read-query.js";
import type { TaskStore } from "#task-service/store/task-store.js";

/** Fields `events` (1) and `next_page_token` (2) of `taskwire.v1.ListTaskEventsResponse`, length-delimited. */
const EVENTS_TAG = (1 << 3) | 2;
const NEXT_PAGE_TOKEN_TAG = (2 << 3) | 2;

const ORDERS: ReadonlyMap<string, { readonly isDescending: boolean }> = new Map([
  ["", { isDescending: false }],
  ["sequence", { isDescending: false }],
  ["sequence desc", { isDescending: true }],
]);

type StoredEvents = TaskHistory["events"];

interface PageQuery {
  readonly id: string;
  readonly isDescending: boolean;
  /** The last sequence of the page before. */
  readonly after: number | null;
  readonly limit: number;
}

/** ListTaskEvents. Answers with the encoded `taskwire.v1.ListTaskEventsResponse`, built of events as they are stored, cut at 2 MiB. */
export async function listTaskEvents(store: TaskStore, request: ListTaskEventsRequest): Promise<Uint8Array> {
  const violations = new Violations();
  const orderBy = plainOrder(request.orderBy);
  const order = ORDERS.get(orderBy);
  violations.expect(order !== undefined, "order_by", "must be sequence, optionally followed by desc");
  const limit = pageLimit(request.pageSize, violations);
  const isDescending = order?.isDescending ?? false;
  const fingerprint = `events of ${request.id.toLowerCase()}${isDescending ? " desc" : ""}`;
  const after = request.pageToken === "" ? null : readPageToken(request.pageToken, fingerprint);
  const wrongToken = "does not belong to this task and order; begin again without it";
  violations.expect(after !== undefined, "page_token", wrongToken);
  const id = requireTaskId(request.id, violations);
  const { events, hasMore } = await readPage(store, { id, isDescending, after: after?.key ?? null, limit });
  const writer = new BinaryWriter();
  for (const { body } of events) writer.uint32(EVENTS_TAG).bytes(body);
  const last = events.at(-1);
  if (hasMore && last !== undefined) {
    writer.uint32(NEXT_PAGE_TOKEN_TAG).string(makePageToken(fingerprint, { id, updateTimeMs: 0, key: last.sequence }));
  }
  return writer.finish();
}

/** Reads on until the page is full; the store gives less at once. */
async function readPage(store: TaskStore, query: PageQuery): Promise<{ events: StoredEvents; hasMore: boolean }> {
  const events: StoredEvents[number][] = [];
  let bytes = 0;
  for (;;) {
    const after = events.at(-1)?.sequence ?? query.after;
    const history = await readHistory(store, { ...query, after, limit: query.limit - events.length });
    for (const event of history.events) {
      bytes += event.body.length;
      if (events.length > 0 && bytes > MAX_PAGE_BYTES) return { events, hasMore: true };
      events.push(event);
    }
    const reached = events.at(-1)?.sequence;
    const end = query.isDescending ? 1 : history.sequence;
    if (history.events.length === 0 || reached === undefined || reached === end) return { events, hasMore: false };
    if (events.length >= query.limit) return { events, hasMore: true };
  }
}

async function readHistory(store: TaskStore, { id, isDescending, after, limit }: PageQuery): Promise<TaskHistory> {
  const history = isDescending
    ? await store.read({ kind: "readLatestEvents", id, beforeSequence: after, limit })
    : await store.read({ kind: "readEvents", id, afterSequence: after ?? 0, limit });
  if (history === null) throw taskNotFound(id);
  return history;
}
