import {
  LogLine_Level as Level,
  TaskCancelled_Phase as Phase,
  type TaskEvent,
} from "#libs/proto/gen/taskwire/v1/task_event.js";
import { errorText, progressText } from "#cli/output/task-text.js";

/** What an event says beyond its kind, on one line; empty where that is nothing. */
export function eventText({ kind }: TaskEvent): string {
  switch (kind?.$case) {
    case "created":
      return `${kind.value.type} in queue ${kind.value.queue}, due at ${timeText(kind.value.runTime)}`;
    case "started":
      return `on worker ${kind.value.workerId}`;
    case "progress":
      return progressText(kind.value);
    case "log":
      return firstLine(`${Level[kind.value.level] ?? ""} ${kind.value.message}`);
    case "output":
      return `${kind.value.name}, ${Buffer.byteLength(kind.value.text)} bytes at ${kind.value.offset}`;
    case "retryScheduled":
      return `${firstLine(errorText(kind.value.error))}; due at ${timeText(kind.value.runTime)}`;
    case "released":
      return `${kind.value.code}; due at ${timeText(kind.value.runTime)}`;
    case "reopened":
      return `due at ${timeText(kind.value.runTime)}`;
    case "cancelRequested":
      return firstLine(kind.value.reason);
    case "cancelDelivered":
      return `to worker ${kind.value.workerId}`;
    case "cancelGraceExpired":
      return `after ${kind.value.graceMs} ms`;
    case "staleAttemptRejected":
      return `attempt ${kind.value.reportedAttempt} of worker ${kind.value.workerId}`;
    case "completed":
      return kind.value.warnings.length === 0 ? "" : `with ${kind.value.warnings.length} warnings`;
    case "failed":
      return firstLine(errorText(kind.value.error));
    case "cancelled":
      return [Phase[kind.value.phase] ?? "", firstLine(kind.value.reason)].filter((part) => part !== "").join(", ");
    case "softLimitReached":
    case "cancelAcknowledged":
    case undefined:
      return "";
  }
}

function timeText(time: Date | undefined): string {
  return time?.toISOString() ?? "once";
}

function firstLine(text: string): string {
  return text.split("\n")[0] ?? "";
}
