import { isDeepStrictEqual } from "node:util";
import type { AttemptErrorFact } from "#libs/tasks/claim.js";
import { AttemptOutcome } from "#libs/tasks/task-facts.js";
import { TaskState } from "#libs/tasks/task-state.js";
import { attemptOf } from "#task-service/store/attempt-history.js";
import type { AttemptRecord, TaskRecord } from "#task-service/store/task-record.js";
import { stateName } from "#task-service/verify/event-meaning.js";
import type { Finding } from "#task-service/verify/finding.js";
import type { ReplayedAttempt, ReplayedError, ReplayedTask } from "#task-service/verify/replayed-task.js";

/** A stored task with its stored attempts. */
export interface StoredTask {
  readonly task: TaskRecord;
  /** The result, opened if it was sealed; undefined: it is sealed and there is no key. */
  readonly resultJson: string | null | undefined;
  readonly attempts: readonly AttemptRecord[];
  /** It was created before attempts were recorded: only what every version kept is compared. */
  readonly isOld: boolean;
}

/** A finding of one task. */
export type TaskFinding = Omit<Finding, "taskId">;

const OUTCOME_NAMES: Readonly<Record<number, string>> = Object.fromEntries(
  Object.entries(AttemptOutcome).map(([name, number]) => [number, name]),
);

/** Everything in which a stored task and its attempts are not what its events add up to. */
export function compareTask(stored: StoredTask, replayed: ReplayedTask, mayHaveCompleted: boolean): TaskFinding[] {
  const { task, isOld } = stored;
  if (mayHaveCompleted && task.state === TaskState.COMPLETED) {
    // The completion is sealed; all before it must still fit.
    replayed = { ...replayed, state: task.state, endTimeMs: task.endTimeMs, error: null, workerLosses: 0 };
    replayed.result = { kind: "unreadable" };
    replayed.attempts.splice(-1, 1, ...completedAttempt(replayed.attempts.at(-1), task.endTimeMs));
  }
  const findings: TaskFinding[] = [];
  const compare = <T extends string | number | null>(what: string, expected: T, found: T, show = textOf<T>) => {
    if (expected !== found) findings.push({ kind: "task-differs", what, expected: show(expected), found: show(found) });
  };
  compare("state", replayed.state, task.state, stateName);
  compare("type", replayed.type, task.type);
  compare("queue", replayed.queue, task.queue);
  compare("attempt", replayed.attempt, task.attempt);
  compare("worker", replayed.workerId, task.workerId);
  if (replayed.maxAttempts !== null) compare("max_attempts", replayed.maxAttempts, task.maxAttempts);
  compare("start_time", replayed.startTimeMs, task.startTimeMs, timeOf);
  compare("end_time", replayed.endTimeMs, task.endTimeMs, timeOf);
  compare("cancel_request_time", replayed.cancelRequestTimeMs, task.cancelRequestTimeMs, timeOf);
  const compareHidden = (what: string, expected: unknown, found: unknown) => {
    if (expected !== found && !isDeepStrictEqual(plain(expected), plain(found)))
      findings.push({ kind: "task-differs", what, expected: "as its events tell", found: "something else" });
  };
  compareHidden("cancel_reason", replayed.cancelReason, task.cancelReason);
  compareHidden("progress", replayed.progress, task.progress);
  compareResult(replayed, stored.resultJson, compareHidden);
  if (isOld) return findings;
  compare("run_time", replayed.runTimeMs, task.runTimeMs, timeOf);
  compare("uncounted_attempts", replayed.uncountedAttempts, task.uncountedAttempts);
  if (replayed.workerLosses !== null) compare("worker_losses", replayed.workerLosses, task.workerLosses);
  compare("error code", replayed.error?.code ?? null, task.error?.code ?? null);
  compareHidden("error", replayed.error, factOf(task.error));
  if (replayed.result.kind !== "unreadable") compareHidden("warnings", replayed.warnings, task.warnings.map(factOf));
  return [...findings, ...compareAttempts(stored, replayed)];
}

function compareResult(
  { result }: ReplayedTask,
  resultJson: string | null | undefined,
  compare: (what: string, expected: unknown, found: unknown) => void,
): void {
  if (result.kind === "unreadable" || resultJson === undefined) return;
  if (result.kind === "none") compare("result", null, resultJson);
  else if (resultJson === null) compare("result", "there", null);
  else if (result.kind === "told") compare("result", result.value ?? null, parsed(resultJson));
}

function compareAttempts({ task, attempts }: StoredTask, replayed: ReplayedTask): TaskFinding[] {
  const findings: TaskFinding[] = [];
  const stored = new Map(attempts.map((attempt) => [attempt.number, attempt]));
  const latest = attemptOf(task, 0);
  if (latest !== undefined && !stored.has(latest.number)) stored.set(latest.number, latest);
  for (const expected of replayed.attempts) {
    const what = `attempt ${expected.number}`;
    const found = stored.get(expected.number);
    stored.delete(expected.number);
    if (found === undefined) {
      findings.push({ kind: "attempt-missing", what, expected: describe(expected), found: "none" });
      continue;
    }
    const shown = { ...found, outcome: OUTCOME_NAMES[found.outcome] ?? "?", errorCode: found.error?.code ?? null };
    if (!isSameAttempt(expected, shown))
      findings.push({ kind: "attempt-differs", what, expected: describe(expected), found: describe(shown) });
  }
  for (const { number } of stored.values())
    findings.push({ kind: "attempt-surplus", what: `attempt ${number}`, expected: "none", found: "one" });
  return findings;
}

function completedAttempt(attempt: ReplayedAttempt | undefined, endTimeMs: number | null): ReplayedAttempt[] {
  return attempt === undefined ? [] : [{ ...attempt, endTimeMs, outcome: "SUCCEEDED", errorCode: null }];
}

type ShownAttempt = Omit<ReplayedAttempt, "outcome"> & { readonly outcome: string };

function isSameAttempt(a: ShownAttempt, b: ShownAttempt): boolean {
  const isSameTime = a.startTimeMs === b.startTimeMs && a.endTimeMs === b.endTimeMs;
  return isSameTime && a.workerId === b.workerId && a.outcome === b.outcome && a.errorCode === b.errorCode;
}

function describe(attempt: ShownAttempt): string {
  const { workerId, startTimeMs, endTimeMs, outcome, errorCode } = attempt;
  const how = errorCode === null ? outcome : `${outcome} (${errorCode})`;
  return `${how}, worker ${workerId}, ${timeOf(startTimeMs)} to ${timeOf(endTimeMs)}`;
}

function factOf(error: AttemptErrorFact | null): ReplayedError | null {
  if (error === null) return null;
  const { code, message, retryable, detailsJson } = error;
  return { code, message, retryable, details: detailsJson === "" ? undefined : parsed(detailsJson) };
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return `not JSON: ${json}`;
  }
}

/** As JSON would carry it: without what is undefined. */
function plain(value: unknown): unknown {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value));
}

function timeOf(timeMs: number | null): string {
  if (timeMs === null) return "none";
  return Number.isFinite(new Date(timeMs).getTime()) ? new Date(timeMs).toISOString() : `${timeMs} ms`;
}

function textOf<T extends string | number | null>(value: T): string {
  return value === null ? "none" : String(value);
}
