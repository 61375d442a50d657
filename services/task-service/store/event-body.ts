import { BinaryWriter } from "@bufbuild/protobuf/wire";
import type { Task_State } from "#libs/proto/gen/taskwire/v1/task.js";
import { TaskEvent } from "#libs/proto/gen/taskwire/v1/task_event.js";
import type { AttemptErrorFact } from "#libs/tasks/claim.js";
import type { EventFact } from "#libs/tasks/event-fact.js";
import { MAX_EVENT_RESULT_BYTES } from "#libs/tasks/limits.js";

/** Its buffer is used again for every event; `finish` copies out of it. */
let writer = new BinaryWriter();

/** Where in the log, and in which task, a fact stands. */
export interface EventPosition {
  readonly revision: number;
  readonly sequence: number;
  readonly taskId: string;
  readonly timeMs: number;
  readonly state: Task_State;
  readonly attempt: number;
}

/** Encodes an event as `taskwire.v1.TaskEvent`: the form in which it is stored and sent to every watcher. */
export function encodeEvent(position: EventPosition, fact: EventFact): Uint8Array {
  const message: TaskEvent = {
    revision: position.revision,
    sequence: position.sequence,
    taskId: position.taskId,
    time: new Date(position.timeMs),
    state: position.state,
    attempt: position.attempt,
    // Only streams of many tasks carry them, and add them on the way out.
    type: "",
    queue: "",
    kind: kindOf(fact),
  };
  try {
    return TaskEvent.encode(message, writer).finish();
  } catch (error) {
    // It still holds the first half of what could not be encoded.
    writer = new BinaryWriter();
    throw error;
  }
}

function kindOf(fact: EventFact): NonNullable<TaskEvent["kind"]> {
  switch (fact.kind) {
    case "created":
      return { $case: "created", value: { type: fact.type, queue: fact.queue, runTime: new Date(fact.runTimeMs) } };
    case "started":
      return { $case: "started", value: { workerId: fact.workerId, maxAttempts: fact.maxAttempts } };
    case "progress":
      return { $case: "progress", value: fact.progress };
    case "log": {
      const fields = parseObject(fact.fieldsJson);
      return { $case: "log", value: { level: fact.level, message: fact.message, fields, capped: fact.capped } };
    }
    case "output":
      return { $case: "output", value: { name: fact.name, text: fact.text, offset: fact.offset, capped: fact.capped } };
    case "retryScheduled":
      return { $case: "retryScheduled", value: { error: errorOf(fact.error), runTime: new Date(fact.runTimeMs) } };
    case "cancelRequested":
      return { $case: "cancelRequested", value: { reason: fact.reason } };
    case "cancelDelivered":
      return { $case: "cancelDelivered", value: { workerId: fact.workerId } };
    case "cancelAcknowledged":
      return { $case: "cancelAcknowledged", value: {} };
    case "cancelGraceExpired":
      return { $case: "cancelGraceExpired", value: { graceMs: fact.graceMs } };
    case "softLimitReached":
      return { $case: "softLimitReached", value: {} };
    case "released":
      return {
        $case: "released",
        value: { reason: fact.reason, code: fact.code, runTime: new Date(fact.runTimeMs) },
      };
    case "reopened":
      return { $case: "reopened", value: { runTime: new Date(fact.runTimeMs) } };
    case "staleAttemptRejected":
      return {
        $case: "staleAttemptRejected",
        value: { workerId: fact.workerId, reportedAttempt: fact.reportedAttempt },
      };
    case "completed":
      return { $case: "completed", value: completedOf(fact.resultJson, fact.warnings) };
    case "failed":
      return { $case: "failed", value: { error: errorOf(fact.error) } };
    case "cancelled":
      return { $case: "cancelled", value: { phase: fact.phase, reason: fact.reason } };
  }
}

function completedOf(resultJson: string, warnings: readonly AttemptErrorFact[]) {
  const isOmitted = Buffer.byteLength(resultJson) > MAX_EVENT_RESULT_BYTES;
  const result: unknown = isOmitted ? undefined : JSON.parse(resultJson);
  return { result, resultOmitted: isOmitted, warnings: warnings.map(errorOf) };
}

function errorOf(error: AttemptErrorFact) {
  const { code, message, retryable, detailsJson } = error;
  return { code, message, retryable, details: parseObject(detailsJson) };
}

function parseObject(json: string): Record<string, unknown> | undefined {
  return json === "" ? undefined : (JSON.parse(json) as Record<string, unknown>);
}
