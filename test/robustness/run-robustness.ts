import { setMaxListeners } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { delay } from "#libs/async/delay.js";
import { TaskState } from "#libs/client/taskwire-client.js";
import { checkPromises } from "#test/robustness/check-promises.js";
import { Cluster } from "#test/robustness/cluster.js";
import { readJournal } from "#test/robustness/effect-journal.js";
import type { Verdict } from "#test/robustness/evidence.js";
import { FaultRunner } from "#test/robustness/fault-runner.js";
import { FinalReading } from "#test/robustness/final-reading.js";
import type { FinalTask, RunHistory } from "#test/robustness/history.js";
import { OperationRunner } from "#test/robustness/operation-runner.js";
import { ProcessShims } from "#test/robustness/process-shims.js";
import { Recorder } from "#test/robustness/recorder.js";
import { RunLog } from "#test/robustness/run-log.js";
import type { Schedule } from "#test/robustness/schedule.js";
import { stepText, type Fault, type Operation, type Step } from "#test/robustness/steps.js";
import { TaskFollowers } from "#test/robustness/task-followers.js";
import { verifyDatabase } from "#test/robustness/verify-database.js";
import { LogWatchers } from "#test/robustness/watches/log-watchers.js";
import { planWatchers } from "#test/robustness/watches/watch-plan.js";
import { WatchRecorder } from "#test/robustness/watches/watch-recorder.js";
import { loggedWorkers } from "#test/robustness/worker-processes.js";
import { until } from "#test/support/until.js";

/** What a run came to. */
export interface RunReport {
  readonly schedule: Schedule;
  readonly verdicts: readonly Verdict[];
  /** How often each fault was made, by kind; those that this machine cannot make are under `left out: …`. */
  readonly faults: ReadonlyMap<string, number>;
  readonly counts: Readonly<
    Record<"tasks" | "attempts" | "events" | "eventsRead" | "streams" | "watches" | "calls" | "restarts", number>
  >;
}

/** How a run is done. */
export interface RunOptions {
  /** An empty folder: data, logs and, in the end, the history. */
  readonly folder: string;
  /** Hears each step and what becomes of the processes. */
  readonly say?: (line: string) => void;
  /** Writes the history into the folder even when every promise was held. */
  readonly keeps?: boolean;
  /** How long everything may take to be up again after the last fault, and then all tasks to end; default 60 s and 120 s. */
  readonly healTimeoutMs?: number;
  readonly endTimeoutMs?: number;
}

/** Carries out a schedule on a real stack, lets everything recover, reads what is left and checks it. */
export async function runRobustness(schedule: Schedule, options: RunOptions): Promise<RunReport> {
  const { folder } = options;
  const log = new RunLog(join(folder, "run.log"), options.say);
  const journalPath = join(folder, "journal");
  const dataDir = join(folder, "data");
  mkdirSync(dataDir, { recursive: true });
  writeFileSync(join(folder, "schedule.txt"), schedule.steps.map((step) => `${stepText(step)}\n`).join(""));
  const database = join(dataDir, "taskwire.db");
  const shims = new ProcessShims(folder, database, schedule.workers);
  const cluster = await Cluster.start({
    dataDir,
    journalPath,
    workers: schedule.workers,
    onNews: (name, what) => {
      log.news(name, what);
    },
    serviceEnv: shims.environmentOf("task-service"),
    workerEnv: (name) => shims.environmentOf(name),
  });
  const recorder = new Recorder();
  const operations = new OperationRunner(cluster.address, `run-${schedule.seed}`, recorder);
  const followers = new TaskFollowers(cluster.client, recorder);
  const watchRecorder = new WatchRecorder();
  const plan = planWatchers(schedule.seed, schedule.durationMs);
  const watchers = new LogWatchers(cluster.address, plan, watchRecorder, () => recorder.accepted);
  const reading = new FinalReading(cluster.stack.address, cluster.client, recorder);
  let read: Awaited<ReturnType<FinalReading["readAll"]>> | undefined;
  let unfinished: unknown;
  try {
    watchers.start();
    await carryOut(schedule, operations, new FaultRunner(cluster, shims), log);
    log.say("all steps are done: healing");
    shims.heal();
    await cluster.heal(options.healTimeoutMs ?? 60_000);
    log.say("everything is up: waiting for the tasks to end");
    unfinished = await untilAllEnded(cluster, recorder, options.endTimeoutMs ?? 120_000).catch(
      (error: unknown) => error,
    );
    await followers.stop();
    read = await reading.readAll();
    await watchers.finish(lastRevision(read.finals));
    await cluster.restartService();
    await reading.readAgain(read.finals);
  } finally {
    await followers.stop();
    await watchers.stop();
    watchers.close();
    operations.close();
    reading.close();
    await cluster.stop();
    shims.close();
    log.close();
  }
  if (unfinished instanceof Error) log.say(unfinished.message);
  const history: RunHistory = {
    calls: recorder.calls,
    streams: recorder.streams,
    watches: watchRecorder.watches,
    ...read,
    journal: readJournal(journalPath),
    workers: [...cluster.workerProcesses, ...loggedWorkers(dataDir, schedule.workers)],
    verification: await verifyDatabase(database),
  };
  const verdicts = checkPromises(history);
  if (options.keeps === true || verdicts.some(({ held }) => !held)) keep(folder, history, verdicts);
  return { schedule, verdicts, faults: log.faults, counts: countsOf(history, log.restarts) };
}

async function carryOut(
  schedule: Schedule,
  operations: OperationRunner,
  faults: FaultRunner,
  log: RunLog,
): Promise<void> {
  const begin = performance.now();
  const leave = new AbortController();
  setMaxListeners(0, leave.signal);
  const underWay = new Set<Promise<void>>();
  const failures: unknown[] = [];
  const start = (run: Promise<void>) => {
    const tracked = run.catch((error: unknown) => {
      failures.push(error);
    });
    underWay.add(tracked);
    void tracked.then(() => underWay.delete(tracked));
  };
  for (const step of schedule.steps) {
    const waitMs = begin + step.atMs - performance.now();
    if (waitMs > 0) await delay(waitMs);
    if (isFault(step)) {
      const isPossible = faults.isPossible(step.action);
      log.fault(step, isPossible);
      if (isPossible) start(faults.run(step.action));
    } else if (isOperation(step)) start(operations.run(step.action, leave.signal));
    if (failures.length > 0) break;
  }
  const remaining = begin + schedule.durationMs - performance.now();
  if (remaining > 0) await delay(remaining);
  const timer = setTimeout(() => {
    leave.abort();
  }, 1000);
  await Promise.all(underWay);
  clearTimeout(timer);
  leave.abort();
  if (failures.length > 0) throw failures[0];
}

const OPERATIONS: readonly string[] = ["create", "repeat", "batch", "cancel", "retry", "get", "watch"];

function isOperation(step: Step): step is Step<Operation> {
  return OPERATIONS.includes(step.action.kind);
}

function isFault(step: Step): step is Step<Fault> {
  return !isOperation(step);
}

async function untilAllEnded({ client }: Cluster, recorder: Recorder, timeoutMs: number): Promise<void> {
  const states = [TaskState.PENDING, TaskState.RUNNING];
  await until(
    `all ${recorder.accepted.length} accepted tasks have ended`,
    async () => (await client.listPage({ states, pageSize: 1 })).tasks.length === 0,
    timeoutMs,
  );
}

function keep(folder: string, history: RunHistory, verdicts: readonly Verdict[]): void {
  for (const [name, records] of Object.entries(history)) {
    if (!Array.isArray(records)) continue;
    const lines = records.map((record) => `${JSON.stringify(record)}\n`);
    writeFileSync(join(folder, `${name}.jsonl`), lines.join(""));
  }
  writeFileSync(join(folder, "verdicts.json"), JSON.stringify(verdicts, undefined, 2));
}

function lastRevision(finals: readonly FinalTask[]): number {
  return Math.max(0, ...finals.map(({ events }) => events.at(-1)?.revision ?? 0));
}

function countsOf(history: RunHistory, restarts: number): RunReport["counts"] {
  const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);
  return {
    tasks: history.finals.length,
    attempts: sum(history.finals.map(({ attempts }) => attempts.length)),
    events: sum(history.finals.map(({ events }) => events.length)),
    eventsRead: sum(history.streams.map(({ frames }) => sum(frames.map(({ events }) => events?.length ?? 0)))),
    streams: history.streams.length,
    watches: history.watches.length,
    calls: history.calls.length,
    restarts,
  };
}
