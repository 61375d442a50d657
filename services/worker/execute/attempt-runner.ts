import type { Logger } from "#libs/log/logger.js";
import type { DispatchTask } from "#libs/proto/gen/taskwire/bus/v1/dispatch.js";
import type { Started } from "#libs/proto/gen/taskwire/bus/v1/report.js";
import type { HeldAttempt } from "#libs/proto/gen/taskwire/bus/v1/worker.js";
import { attemptLimits, type AttemptLimits } from "#libs/attempts/attempt-limits.js";
import { AttemptReports } from "#worker/execute/attempt-reports.js";
import type { AttemptEnd } from "#worker/execute/attempt-end.js";
import { DeadlineWatch } from "#worker/execute/deadline-watch.js";
import { RunningAttempt, type AttemptSurroundings } from "#worker/execute/running-attempt.js";
import type { Isolates } from "#worker/isolate/isolates.js";
import type { SpeechLimits } from "#libs/attempts/speech-claims.js";
import type { ModuleCatalog } from "#worker/isolate/module-catalog.js";
import type { DescribedTask } from "#worker/isolate/protocol.js";
import type { ReportGatherer } from "#worker/report/report-gatherer.js";

/** What a runner needs. */
export interface AttemptRunnerOptions {
  readonly catalog: ModuleCatalog;
  readonly isolates: Isolates;
  readonly gatherer: ReportGatherer;
  /** Bounds where neither the task nor its type sets any. */
  readonly limits: AttemptLimits;
  readonly speech: SpeechLimits;
  readonly graceMs: number;
  /** Called once per attempt, before any handler code runs. */
  readonly onStarting: (hardTimeoutMs: number) => void;
  /** Called once per attempt, after its last report was handed over and its slot is free. */
  readonly onEnded: (key: string, end: AttemptEnd) => void;
  readonly logger: Logger;
}

/** Names an attempt. */
export function attemptKey(taskId: string, attempt: number): string {
  return `${taskId}:${attempt}`;
}

/** Runs attempts, any number at once, and finds them again by task and number. */
export class AttemptRunner {
  readonly #options: AttemptRunnerOptions;
  readonly #deadlines = new DeadlineWatch();
  readonly #running = new Map<string, RunningAttempt>();
  readonly #around: Omit<AttemptSurroundings, "acquire">;
  #idleListeners: (() => void)[] = [];

  constructor(options: AttemptRunnerOptions) {
    this.#options = options;
    this.#around = {
      deadlines: this.#deadlines,
      speech: options.speech,
      graceMs: options.graceMs,
      giveBack: (isolate) => {
        options.isolates.release(isolate);
      },
      onEnded: (attempt, end) => {
        this.#onEnded(attempt, end);
      },
    };
  }

  /** Attempts that take a slot. */
  get running(): number {
    return this.#running.size;
  }

  /** Whether this attempt runs here. */
  has(key: string): boolean {
    return this.#running.has(key);
  }

  /** Whether there is a handler of this type. */
  knows(type: string): boolean {
    return this.#options.catalog.tasks.has(type);
  }

  /**
   * Reports that the attempt started and runs it. `onStarted` is called when JetStream has that report. With `cancelReason` it ends
   * as cancelled before any handler code runs. A suspect was handed out before and never started: its worker may have died of it, so its
   * handler begins only when JetStream has that the attempt started, and another death is counted.
   */
  start(
    dispatch: DispatchTask,
    onStarted: () => void,
    { cancelReason, isSuspect }: { readonly cancelReason: string | undefined; readonly isSuspect: boolean },
  ): void {
    const task = this.#options.catalog.tasks.get(dispatch.type);
    const isolation = task?.isolation ?? "process";
    const reports = new AttemptReports(dispatch.taskId, dispatch.attempt, this.#options.gatherer);
    const attempt = new RunningAttempt(dispatch, reports, attemptLimits(dispatch, task, this.#options.limits), {
      ...this.#around,
      acquire: (memoryBytes) => this.#options.isolates.acquire(dispatch.type, isolation, memoryBytes),
    });
    this.#running.set(attemptKey(dispatch.taskId, dispatch.attempt), attempt);
    this.#options.onStarting(attempt.hardTimeoutMs);
    const begin = () => {
      if (task === undefined) attempt.refuse("UNKNOWN_TYPE", `this worker has no handler for ${dispatch.type}`);
      else attempt.start(dispatch.maxAttempts || task.maxAttempts || 0);
    };
    const onStored = () => {
      onStarted();
      if (isSuspect) begin();
    };
    reports.say({ $case: "started", value: startedOf(task) }, onStored);
    if (cancelReason !== undefined) attempt.cancel(cancelReason);
    else if (!isSuspect) begin();
  }

  /** Cancels an attempt; false: it is not here. */
  cancel(key: string, reason: string): boolean {
    const attempt = this.#running.get(key);
    attempt?.cancel(reason);
    return attempt !== undefined;
  }

  /** Stops an attempt that is somebody else's now. */
  abandon(key: string): void {
    this.#running.get(key)?.abandon();
  }

  /** The attempts to renew: those that run for at least `olderThanMs` and were not given up; and the longest hard limit of all. */
  held(olderThanMs: number): { attempts: HeldAttempt[]; longestHardMs: number } {
    const latest = performance.now() - olderThanMs;
    const attempts: HeldAttempt[] = [];
    let longestHardMs = 0;
    for (const attempt of this.#running.values()) {
      if (attempt.isAbandoned) continue;
      longestHardMs = Math.max(longestHardMs, attempt.hardTimeoutMs);
      if (attempt.startedAtMs > latest) continue;
      attempts.push({ taskId: attempt.dispatch.taskId, attempt: attempt.dispatch.attempt });
    }
    return { attempts, longestHardMs };
  }

  /** Fires every signal and gives the attempts back after the grace period; with `now`, at once. */
  releaseAll(options: { now: boolean }): void {
    for (const attempt of [...this.#running.values()]) {
      if (options.now) attempt.releaseNow();
      else attempt.release();
    }
  }

  /** Resolves when nothing runs. */
  idle(): Promise<void> {
    if (this.#running.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#idleListeners.push(resolve);
    });
  }

  /** Ends the timers. */
  close(): void {
    this.#deadlines.close();
  }

  #onEnded(attempt: RunningAttempt, end: AttemptEnd): void {
    const { taskId, attempt: number, type } = attempt.dispatch;
    const key = attemptKey(taskId, number);
    this.#running.delete(key);
    const { logger, onEnded } = this.#options;
    if (logger.isLevelEnabled("error")) {
      const durationMs = Math.round((performance.now() - attempt.startedAtMs) * 100) / 100;
      const fields = { taskId, type, attempt: number, outcome: end.outcome, durationMs };
      if (end.error === undefined) logger.info(fields, "attempt finished");
      else logger.error({ ...fields, code: end.error.code, error: end.error.message }, "attempt failed");
    }
    onEnded(key, end);
    if (this.#running.size === 0) for (const listener of this.#idleListeners.splice(0)) listener();
  }
}

function startedOf(task: DescribedTask | undefined): Started {
  return {
    maxAttempts: task?.maxAttempts ?? 0,
    initialDelayMs: task?.initialDelayMs,
    maximumDelayMs: task?.maximumDelayMs,
    multiplier: task?.multiplier ?? 0,
    totalTimeoutMs: task?.totalTimeoutMs,
    retryableCodes: [...(task?.retryableCodes ?? [])],
    permanentCodes: [...(task?.permanentCodes ?? [])],
  };
}
