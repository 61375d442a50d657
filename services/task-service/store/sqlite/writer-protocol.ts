import type { CommittedEvent, TaskChange } from "#task-service/store/commit.js";
import type { CommitCounts } from "#task-service/store/commit-counts.js";
import type { OpenCount } from "#task-service/store/store-statistics.js";
import type { NewTask } from "#task-service/store/task-record.js";
import type { WriteCommand, WriteGroup, WriteReply } from "#task-service/store/write-command.js";

/**
 * How commands and replies travel between threads. Objects would carry the name of every field every time; here tasks, events and
 * changes travel as rows of plain values, and event bodies in one buffer that is handed over instead of copied.
 */

/** What the writer's thread is sent. */
export type WriterRequest = { readonly kind: "group"; readonly group: PackedGroup } | { readonly kind: "close" };

/** What it answers. */
export type WriterResponse =
  | { readonly kind: "ready"; readonly open: readonly OpenCount[] }
  | { readonly kind: "failed"; readonly message: string }
  | { readonly kind: "reply"; readonly reply: PackedReply };

type NewTaskRow = readonly NewTask[keyof NewTask][];
type PackedCommand =
  | { readonly kind: "create"; readonly rows: readonly NewTaskRow[]; readonly mustExist?: true }
  | Exclude<WriteCommand, { kind: "create" }>;

/** A {@link WriteGroup}. */
export interface PackedGroup {
  readonly commands: readonly PackedCommand[];
  readonly nowMs: number;
}

/** A {@link WriteReply}. */
export interface PackedReply {
  readonly results: WriteReply["results"];
  readonly revision: number;
  readonly counts: readonly CommitCounts[];
  readonly changes: readonly (readonly TaskChange[keyof TaskChange][])[];
  readonly taskIds: readonly string[];
  /**
   * Per event: revision, sequence, whether it is terminal (0 or 1), where its body ends in `bodies`, and time, state and attempt of the task
   * after the event before.
   */
  readonly numbers: Float64Array;
  readonly bodies: ArrayBuffer;
}

const NUMBERS_PER_EVENT = 7;

/** Prepares a group for its way to the writer. */
export function packGroup(group: WriteGroup): PackedGroup {
  const commands = group.commands.map((command): PackedCommand => {
    if (command.kind !== "create") return command;
    const { tasks, ...how } = command;
    return { ...how, rows: tasks.map(newTaskRow) };
  });
  return { commands, nowMs: group.nowMs };
}

/** The group as it was. */
export function unpackGroup(group: PackedGroup): WriteGroup {
  const commands = group.commands.map((command): WriteCommand => {
    if (command.kind !== "create") return command;
    const { rows, ...how } = command;
    return { ...how, tasks: rows.map(newTaskOf) };
  });
  return { commands, nowMs: group.nowMs };
}

/** Prepares a reply for its way back. */
export function packReply(reply: WriteReply): PackedReply {
  const { events, changes, revision, counts } = reply.commit;
  const bodies = new Uint8Array(events.reduce((sum, event) => sum + event.body.length, 0));
  const numbers = new Float64Array(events.length * NUMBERS_PER_EVENT);
  const taskIds: string[] = [];
  let end = 0;
  let at = 0;
  for (const event of events) {
    bodies.set(event.body, end);
    end += event.body.length;
    taskIds.push(event.taskId);
    numbers[at++] = event.revision;
    numbers[at++] = event.sequence;
    numbers[at++] = event.isTerminal ? 1 : 0;
    numbers[at++] = end;
    numbers[at++] = event.before.timeMs;
    numbers[at++] = event.before.state;
    numbers[at++] = event.before.attempt;
  }
  const rows = changes.map(changeRow);
  return { results: reply.results, revision, counts, changes: rows, taskIds, numbers, bodies: bodies.buffer };
}

/** The reply as it was. */
export function unpackReply(packed: PackedReply): WriteReply {
  const { numbers, revision, counts, results } = packed;
  const bodies = new Uint8Array(packed.bodies);
  let start = 0;
  const events = packed.taskIds.map((taskId, index): CommittedEvent => {
    const at = index * NUMBERS_PER_EVENT;
    const end = numbers[at + 3] ?? start;
    const body = bodies.subarray(start, end);
    start = end;
    return {
      revision: numbers[at] ?? 0,
      taskId,
      sequence: numbers[at + 1] ?? 0,
      isTerminal: numbers[at + 2] === 1,
      body,
      before: { timeMs: numbers[at + 4] ?? 0, state: numbers[at + 5] ?? 0, attempt: numbers[at + 6] ?? 0 },
    };
  });
  return { results, commit: { revision, events, changes: packed.changes.map(changeOf), counts } };
}

function newTaskRow(task: NewTask): NewTaskRow {
  return [
    task.id,
    task.type,
    task.queue,
    task.priority,
    task.payloadJson,
    task.labelsJson,
    task.description,
    task.maxAttempts,
    task.initialDelayMs,
    task.maximumDelayMs,
    task.multiplier,
    task.totalTimeoutMs,
    task.retryCodes,
    task.createTimeMs,
    task.runTimeMs,
    task.softTimeoutMs,
    task.hardTimeoutMs,
    task.memoryBytes,
    task.unwatchedCancelMs,
    task.webhookJson,
    task.requestId,
    task.requestHash,
  ];
}

function newTaskOf(row: NewTaskRow): NewTask {
  return {
    id: row[0] as string,
    type: row[1] as string,
    queue: row[2] as string,
    priority: row[3] as number,
    payloadJson: row[4] as string,
    labelsJson: row[5] as string,
    description: row[6] as string,
    maxAttempts: row[7] as number,
    initialDelayMs: row[8] as number | null,
    maximumDelayMs: row[9] as number | null,
    multiplier: row[10] as number,
    totalTimeoutMs: row[11] as number | null,
    retryCodes: row[12] as NewTask["retryCodes"],
    createTimeMs: row[13] as number,
    runTimeMs: row[14] as number,
    softTimeoutMs: row[15] as number,
    hardTimeoutMs: row[16] as number,
    memoryBytes: row[17] as number,
    unwatchedCancelMs: row[18] as number | null,
    webhookJson: row[19] as string | null,
    requestId: row[20] as string | null,
    requestHash: row[21] as string | null,
  };
}

function changeRow(change: TaskChange): TaskChange[keyof TaskChange][] {
  return [
    change.id,
    change.key,
    change.queue,
    change.type,
    change.priority,
    change.labelsJson,
    change.runTimeMs,
    change.isWaiting,
    change.state,
    change.attempt,
    change.workerId,
    change.isCancelRequested,
    change.cancelReason,
  ];
}

function changeOf(row: readonly TaskChange[keyof TaskChange][]): TaskChange {
  return {
    id: row[0] as string,
    key: row[1] as number,
    queue: row[2] as string,
    type: row[3] as string,
    priority: row[4] as number,
    labelsJson: row[5] as string,
    runTimeMs: row[6] as number,
    isWaiting: row[7] as boolean,
    state: row[8] as TaskChange["state"],
    attempt: row[9] as number,
    workerId: row[10] as string | null,
    isCancelRequested: row[11] as boolean,
    cancelReason: row[12] as string,
  };
}
