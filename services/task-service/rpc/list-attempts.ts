import { TaskAttempt } from "#libs/proto/gen/taskwire/v1/task.js";
import type { ListTaskAttemptsRequest, ListTaskAttemptsResponse } from "#libs/proto/gen/taskwire/v1/task_service.js";
import { AttemptOutcome } from "#libs/tasks/task-facts.js";
import { MAX_PAGE_BYTES, pageLimit } from "#task-service/rpc/page-request.js";
import { makePageToken, readPageToken } from "#task-service/rpc/page-token.js";
import { presentError } from "#task-service/rpc/present-task.js";
import { taskNotFound } from "#task-service/rpc/read-task.js";
import { requireTaskId, Violations } from "#task-service/rpc/violations.js";
import type { AttemptRecord } from "#task-service/store/task-record.js";
import type { TaskStore } from "#task-service/store/task-store.js";

/** ListTaskAttempts: a page of a task's attempts, cut at about 2 MiB. */
export async function listTaskAttempts(
  store: TaskStore,
  request: ListTaskAttemptsRequest,
): Promise<ListTaskAttemptsResponse> {
  const violations = new Violations();
  const limit = pageLimit(request.pageSize, violations);
  const fingerprint = `attempts of ${request.id.toLowerCase()}`;
  const after = request.pageToken === "" ? null : readPageToken(request.pageToken, fingerprint);
  violations.expect(after !== undefined, "page_token", "does not belong to this task; begin again without it");
  const id = requireTaskId(request.id, violations);
  const found = await store.read({ kind: "listAttempts", id, afterNumber: after?.key ?? 0, limit: limit + 1 });
  if (found === null) throw taskNotFound(id);
  const attempts: TaskAttempt[] = [];
  let bytes = 0;
  for (const record of found) {
    const attempt = presentAttempt(record);
    bytes += TaskAttempt.encode(attempt).finish().length;
    if (attempts.length === limit || (attempts.length > 0 && bytes > MAX_PAGE_BYTES)) break;
    attempts.push(attempt);
  }
  const last = attempts.at(-1);
  const hasMore = last !== undefined && attempts.length < found.length;
  const nextPageToken = hasMore ? makePageToken(fingerprint, { id, updateTimeMs: 0, key: last.number }) : "";
  return { attempts, nextPageToken };
}

function presentAttempt(record: AttemptRecord): TaskAttempt {
  const { number, workerId, startTimeMs, endTimeMs, outcome, error } = record;
  return {
    number,
    workerId,
    startTime: new Date(startTimeMs),
    endTime: endTimeMs === null ? undefined : new Date(endTimeMs),
    outcome,
    error: error === null ? undefined : presentError(error),
    counted: outcome !== AttemptOutcome.RELEASED,
  };
}
