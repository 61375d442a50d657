import { BinaryWriter } from "@bufbuild/protobuf/wire";
import type { Logger } from "#libs/log/logger.js";
import { Task } from "#libs/proto/gen/taskwire/v1/task.js";
import {
  EventClass as ProtoEventClass,
  type WatchTasksRequest,
  type WatchTasksResponse,
} from "#libs/proto/gen/taskwire/v1/task_service.js";
import { asTaskwireError } from "#libs/rpc/status.js";
import type { StreamCall } from "#libs/rpc/stream-call.js";
import { filterErrorText } from "#libs/tasks/filter/filter-error.js";
import type { FilterExpression } from "#libs/tasks/filter/filter-expression.js";
import { unwatchableField } from "#libs/tasks/filter/unwatchable-field.js";
import { parseFilter } from "#libs/tasks/filter/parse-filter.js";
import { filterFingerprint } from "#task-service/rpc/page-token.js";
import { presentTask } from "#task-service/rpc/present-task.js";
import { Violations } from "#task-service/rpc/violations.js";
import { EventClass } from "#task-service/store/log/event-head.js";
import { readResumeToken } from "#task-service/store/log/resume-token.js";
import type { TaskRecord } from "#task-service/store/task-record.js";
import type { LogHub, WatchTasksQuery } from "#task-service/watch/log-hub.js";

const DEFAULT_CLASSES = EventClass.STATES | EventClass.PROGRESS;
const CLASSES: ReadonlyMap<ProtoEventClass, number> = new Map([
  [ProtoEventClass.EVENT_CLASS_STATES, EventClass.STATES],
  [ProtoEventClass.EVENT_CLASS_PROGRESS, EventClass.PROGRESS],
  [ProtoEventClass.EVENT_CLASS_LOGS, EventClass.LOGS],
  [ProtoEventClass.EVENT_CLASS_OUTPUT, EventClass.OUTPUT],
]);
/** Field `snapshot` of `taskwire.v1.WatchTasksResponse`, length-delimited. */
const SNAPSHOT_TAG = (4 << 3) | 2;

/** WatchTasks: ties a stream to a watcher of many tasks. */
export function watchTasks(
  hub: LogHub,
  logger: Logger,
  request: WatchTasksRequest,
  call: StreamCall<WatchTasksResponse>,
): void {
  const query = queryOf(request);
  call.sendHeaders();
  const watcher = hub.watch(query, {
    frame: (bytes) => call.write(bytes),
    encodeTasks,
    fail: (error) => {
      call.fail(asTaskwireError(error, call, logger));
    },
  });
  call.onDrain(() => {
    watcher.onDrain();
  });
  call.onClosed(() => {
    hub.unwatch(watcher);
  });
}

function queryOf(request: WatchTasksRequest): WatchTasksQuery {
  const violations = new Violations();
  const filter = watchableFilter(request.filter, violations);
  const classes = classesOf(request.classes, violations);
  const fingerprint = filter === undefined ? undefined : filterFingerprint(filter, "log");
  const start = startOf(request.start, fingerprint, violations);
  violations.throwIfAny();
  return { selection: { filter: filter ?? null, classes }, fingerprint: fingerprint ?? "", start };
}

/** Undefined: it is wrong. */
function watchableFilter(text: string, violations: Violations): FilterExpression | null | undefined {
  const filter = parseFilter(text);
  violations.expect(filter.ok, "filter", filter.ok ? "" : `is wrong at ${filterErrorText(filter.error)}`);
  if (!filter.ok) return undefined;
  const field = filter.expression === null ? undefined : unwatchableField(filter.expression);
  violations.expect(field === undefined, "filter", `must not name ${field}, which events do not tell`);
  return field === undefined ? filter.expression : undefined;
}

function classesOf(asked: readonly ProtoEventClass[], violations: Violations): number {
  let classes = 0;
  for (const [index, each] of asked.entries()) {
    const bit = CLASSES.get(each);
    violations.expect(bit !== undefined, `classes[${index}]`, "must be STATES, PROGRESS, LOGS or OUTPUT");
    classes |= bit ?? 0;
  }
  return asked.length === 0 ? DEFAULT_CLASSES : classes;
}

/** `fingerprint`: undefined while the filter is wrong, and then whose a token is cannot be told. */
function startOf(
  start: WatchTasksRequest["start"],
  fingerprint: string | undefined,
  violations: Violations,
): WatchTasksQuery["start"] {
  switch (start?.$case) {
    case undefined:
      return { kind: "snapshot" };
    case "fromSnapshot":
      violations.expect(start.value, "from_snapshot", "must be true where it is given");
      return { kind: "snapshot" };
    case "fromNow":
      violations.expect(start.value, "from_now", "must be true where it is given");
      return { kind: "now" };
    case "afterRevision":
      violations.expect(start.value >= 0, "after_revision", "must not be negative");
      return { kind: "cursor", revision: start.value, snapshotId: null };
    case "resumeToken": {
      const cursor = fingerprint === undefined ? null : readResumeToken(start.value, fingerprint);
      violations.expect(
        cursor !== undefined,
        "resume_token",
        "is malformed or belongs to another filter; begin again without it",
      );
      return { kind: "cursor", revision: cursor?.revision ?? 0, snapshotId: cursor?.snapshotId ?? null };
    }
  }
}

function encodeTasks(tasks: readonly TaskRecord[]): Uint8Array {
  const writer = new BinaryWriter();
  for (const task of tasks) Task.encode(presentTask(task), writer.uint32(SNAPSHOT_TAG).fork()).join();
  return writer.finish();
}
