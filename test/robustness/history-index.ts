import type { FinalTask, RunHistory } from "#test/robustness/history.js";
import { tellStory, type TaskStory } from "#test/robustness/task-story.js";

/** One run of an attempt by a worker, as its journal tells it. More than one run of an attempt is possible; one worker holds it. */
export interface HandlerRun {
  readonly taskId: string;
  readonly attempt: number;
  readonly token: string;
  /** The worker's id; undefined: that of no known process. */
  readonly workerId: string | undefined;
  readonly beganMs: number;
  lastMs: number;
  hasEnded: boolean;
}

/** A history, ready to be asked. */
export class HistoryIndex {
  readonly history: RunHistory;
  readonly finals: ReadonlyMap<string, FinalTask>;
  readonly stories: ReadonlyMap<string, TaskStory>;
  readonly runs: readonly HandlerRun[];
  readonly runsByToken: ReadonlyMap<string, HandlerRun>;
  readonly #runsByTask = new Map<string, HandlerRun[]>();
  readonly #firstSeenMs = new Map<string, number>();

  constructor(history: RunHistory) {
    this.history = history;
    this.finals = new Map(history.finals.map((final) => [final.snapshot.id, final]));
    this.stories = new Map(history.finals.map(({ snapshot, events }) => [snapshot.id, tellStory(events)]));
    this.runs = readRuns(history);
    this.runsByToken = new Map(this.runs.map((run) => [run.token, run]));
    for (const run of this.runs) {
      const others = this.#runsByTask.get(run.taskId);
      if (others === undefined) this.#runsByTask.set(run.taskId, [run]);
      else others.push(run);
    }
    for (const { taskId, frames } of history.streams)
      for (const { atMs, events = [], snapshot } of frames) {
        for (const { sequence } of events) this.#see(taskId, sequence, atMs);
        if (snapshot !== undefined) this.#see(taskId, snapshot.sequence, atMs);
      }
    for (const { endMs, tasks } of history.calls) for (const { id, sequence } of tasks) this.#see(id, sequence, endMs);
  }

  /** The runs of a task's handlers. */
  runsOf(taskId: string): readonly HandlerRun[] {
    return this.#runsByTask.get(taskId) ?? [];
  }

  /** When some client knew for certain that this event was committed; infinity: none did. */
  seenByMs(taskId: string, sequence: number): number {
    const length = this.finals.get(taskId)?.snapshot.sequence ?? sequence;
    let earliest = Infinity;
    // Who has seen a later event has seen that this one had happened.
    for (let later = sequence; later <= length; later += 1)
      earliest = Math.min(earliest, this.#firstSeenMs.get(`${taskId} ${later}`) ?? Infinity);
    return earliest;
  }

  #see(taskId: string, sequence: number, atMs: number): void {
    const key = `${taskId} ${sequence}`;
    this.#firstSeenMs.set(key, Math.min(atMs, this.#firstSeenMs.get(key) ?? Infinity));
  }
}

function readRuns({ journal, workers }: RunHistory): HandlerRun[] {
  const workerOfPid = new Map(workers.map(({ pid, workerId }) => [pid, workerId]));
  const runs: HandlerRun[] = [];
  const open = new Map<string, HandlerRun>();
  for (const { taskId, attempt, pid, parentPid, event, atMs, detail } of journal) {
    const key = `${taskId} ${attempt} ${pid}`;
    if (event === "begin") {
      const workerId = workerOfPid.get(pid) ?? workerOfPid.get(parentPid);
      const run = { taskId, attempt, token: detail, workerId, beganMs: atMs, lastMs: atMs, hasEnded: false };
      runs.push(run);
      open.set(key, run);
    }
    const run = open.get(key);
    if (run === undefined) continue;
    run.lastMs = Math.max(run.lastMs, atMs);
    if (event === "end") run.hasEnded = true;
  }
  return runs;
}
