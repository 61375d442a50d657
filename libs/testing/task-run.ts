import { attemptLimits, DEFAULT_ATTEMPT_LIMITS, DEFAULT_GRACE_MS } from "#libs/attempts/attempt-limits.js";
import type { AttemptVerdict } from "#libs/attempts/attempt-verdict.js";
import { DEFAULT_SPEECH_LIMITS } from "#libs/attempts/speech-claims.js";
import { isTaskDefinition, type TaskDefinition } from "#libs/define-task/define-task.js";
import { jsonText } from "#libs/define-task/json-text.js";
import type { ProgressUpdate } from "#libs/define-task/task-context.js";
import { jsonProblem } from "#libs/tasks/json-bounds.js";
import { FakeTimers } from "#libs/testing/fake-timers.js";
import { HeardSpeech, type HeardLine, type SpeechListener } from "#libs/testing/heard-speech.js";
import { failureOf, TaskLife, type Failure, type StateName } from "#libs/testing/task-life.js";
import { TestAttempt } from "#libs/testing/test-attempt.js";
import { TestClock } from "#libs/testing/test-clock.js";

/** How a task is run. What is left out is as the handler's own options say, else as Taskwire's defaults. */
export interface TaskRunOptions extends SpeechListener {
  /** Default: a fixed one. */
  readonly taskId?: string;
  /** Number of the first attempt, from 1 (the default): attempts before it have failed. */
  readonly attempt?: number;
  readonly maxAttempts?: number;
  readonly softTimeoutMs?: number;
  readonly hardTimeoutMs?: number;
  /** Time from the signal of a cancel or a shutdown to the kill; default 5,000. */
  readonly graceMs?: number;
  /** What the clock shows at first; default: now. */
  readonly startTime?: Date;
  /** Chance in retry delays, in [0, 1); default: just below 1, so every delay is the longest that the policy allows. */
  readonly random?: () => number;
  /** Whether the timers and the date of the whole process obey the test's clock until the task ends or `close`; default false. */
  readonly fakeTimers?: boolean;
}

/** An attempt that has ended. */
export interface AttemptRecord {
  readonly number: number;
  /** `released` ones do not count: `RetryLater`, shutdown. */
  readonly outcome: "succeeded" | "failed" | "cancelled" | "released";
  /** Why it failed, was released or cancelled. */
  readonly error: Failure | undefined;
  /** What the handler threw. */
  readonly thrown: unknown;
  /** Milliseconds until the next attempt; undefined: there is none. */
  readonly delayMs: number | undefined;
}

const TASK_ID = "0199aaaa-0000-7000-8000-000000000001";
const BELOW_ONE = 1 - Number.EPSILON;

/**
 * A task that runs in this process, without servers: its handler is called as a worker calls it, and states and retries are decided by
 * the code that decides them in the task-service. Time stands still for it unless the test moves it on.
 */
export class TaskRun<R = unknown> {
  readonly #definition: TaskDefinition;
  readonly #options: TaskRunOptions;
  readonly #payloadJson: string;
  readonly #clock: TestClock;
  readonly #life: TaskLife;
  readonly #heard: HeardSpeech;
  readonly #timers: FakeTimers | undefined;
  readonly #attempts: AttemptRecord[] = [];
  #attempt: TestAttempt | undefined;
  #attemptStartMs = 0;
  #takeBack: () => void = () => undefined;
  #onAttemptEnd: () => void = () => undefined;
  #attemptEnd: Promise<void> = Promise.resolve();

  constructor(definition: TaskDefinition<never, R>, payload: object, options: TaskRunOptions) {
    const task: unknown = definition;
    if (!isTaskDefinition(task)) throw new TypeError("only what defineTask returns can be run");
    this.#definition = task;
    this.#options = options;
    this.#payloadJson = payloadText(payload);
    this.#clock = new TestClock(options.startTime?.getTime() ?? Date.now());
    const clock = this.#clock;
    const moment = {
      get nowMs() {
        return clock.nowMs;
      },
      random: options.random ?? (() => BELOW_ONE),
    };
    this.#life = new TaskLife(options.taskId ?? TASK_ID, (options.attempt ?? 1) - 1, moment);
    this.#heard = new HeardSpeech(options, () => this.#life.attempt);
    this.#timers = options.fakeTimers === true ? new FakeTimers(clock) : undefined;
    this.#begin();
  }

  get state(): StateName {
    return this.#life.state;
  }

  /** Whether it is COMPLETED, FAILED or CANCELLED. */
  get isOver(): boolean {
    return this.#life.isOver;
  }

  /** As JSON brings it to the task's creator; undefined unless the task is COMPLETED. */
  get result(): R | undefined {
    const { resultJson } = this.#life;
    // The definition's own schema has checked it.
    return resultJson === undefined ? undefined : (JSON.parse(resultJson) as R);
  }

  /** Why the task failed or was cancelled, or why its latest attempt did. */
  get error(): Failure | undefined {
    return this.#life.error;
  }

  /** Of a task that completed with a `PartialFailure`. */
  get warnings(): readonly Failure[] {
    return this.#life.warnings;
  }

  /** The attempts that have ended. */
  get attempts(): readonly AttemptRecord[] {
    return this.#attempts;
  }

  /** Every update of all attempts; a worker sends at most one in 100 ms, the latest. */
  get progress(): readonly ProgressUpdate[] {
    return this.#heard.progress;
  }

  get logs(): readonly HeardLine[] {
    return this.#heard.logs;
  }

  /** What all attempts put out under a name. */
  output(name = "output"): string {
    return this.#heard.outputs.get(name) ?? "";
  }

  /** Time that has passed on the test's clock, milliseconds. */
  get elapsedMs(): number {
    return this.#clock.nowMs - this.#clock.startMs;
  }

  /** Moves the clock on: limits, grace periods and retries that fall due on the way happen, in order. */
  async advance(ms: number): Promise<void> {
    await this.#clock.advance(ms);
  }

  /** Moves the clock to the soft limit of the latest attempt, which fires its signal. Throws a RangeError when it has none before its hard one. */
  async reachSoftLimit(): Promise<void> {
    await this.#reach(this.#limits.softTimeoutMs);
  }

  /** Moves the clock past the soft limit to the hard limit of the latest attempt, where the handler is killed. */
  async reachHardLimit(): Promise<void> {
    await this.#reach(this.#limits.hardTimeoutMs);
  }

  /** Cancels the task: fires the signal of a running attempt, which has the grace period to end. */
  cancel(reason = ""): void {
    this.#life.requestCancel(reason);
    this.#attempt?.cancel(reason);
    if (this.isOver) this.#finish();
  }

  /** Stops the worker: fires the signal; the attempt is handed back unless it ends with a result, and the task is due again. */
  shutdown(): void {
    this.#attempt?.release();
  }

  /** Ends the running attempt as when its process ends by itself. */
  crash(exitCode = 1): void {
    this.#attempt?.crash(exitCode);
  }

  /** Waits until the running attempt ends by itself. The clock stands still. */
  async attemptEnd(): Promise<void> {
    await this.#attemptEnd;
  }

  /** Waits for the end of each attempt and moves the clock to the next one, until the task ends or so many attempts have ended. */
  async toEnd(maxAttempts = Infinity): Promise<void> {
    for (;;) {
      await this.attemptEnd();
      if (this.isOver || this.#attempts.length >= maxAttempts) return;
      if (this.#attempt === undefined) await this.advance(Math.max(0, this.#life.runTimeMs - this.#clock.nowMs));
    }
  }

  /** Gives the process its timers back. A task that has ended has done so. */
  close(): void {
    this.#timers?.uninstall();
  }

  get #limits() {
    return attemptLimits(this.#options, this.#definition.options, DEFAULT_ATTEMPT_LIMITS);
  }

  async #reach(limitMs: number): Promise<void> {
    if (limitMs === Infinity) throw new RangeError("the attempt has no soft limit before its hard one");
    await this.advance(Math.max(0, this.#attemptStartMs + limitMs - this.#clock.nowMs));
  }

  #begin(): void {
    const { maxAttempts = this.#definition.options.maxAttempts, graceMs = DEFAULT_GRACE_MS } = this.#options;
    const limits = this.#limits;
    this.#life.start({ ...this.#definition.options, ...(maxAttempts === undefined ? {} : { maxAttempts }) });
    this.#attemptEnd = new Promise((resolve) => (this.#onAttemptEnd = resolve));
    const order = {
      type: this.#definition.type,
      taskId: this.#options.taskId ?? TASK_ID,
      attempt: this.#life.attempt,
      maxAttempts: maxAttempts ?? 0,
      payloadJson: this.#payloadJson,
      deadlineMs: this.#clock.nowMs + limits.hardTimeoutMs,
      speech: { ...DEFAULT_SPEECH_LIMITS, progressIntervalMs: 0 },
    };
    const attempt = new TestAttempt(this.#definition, order, {
      clock: this.#clock,
      limits,
      graceMs,
      sink: this.#heard,
      onEnd: (verdict, thrown) => {
        this.#onEnd(verdict, thrown);
      },
    });
    this.#attempt = attempt;
    this.#attemptStartMs = this.#clock.nowMs;
    // Later, so that listeners know the run they hear of.
    queueMicrotask(() => {
      attempt.start();
    });
  }

  #onEnd(verdict: AttemptVerdict, thrown: unknown): void {
    this.#attempt = undefined;
    this.#life.end(verdict);
    const waits = this.#life.state === "PENDING";
    this.#attempts.push({
      number: this.#life.attempt,
      outcome: verdict.outcome === "abandoned" ? "released" : verdict.outcome,
      error: verdict.outcome === "failed" ? failureOf(verdict.error) : this.#life.error,
      thrown,
      delayMs: waits ? this.#life.runTimeMs - this.#clock.nowMs : undefined,
    });
    if (waits) {
      this.#takeBack = this.#clock.at(this.#life.runTimeMs, () => {
        this.#begin();
      });
    } else this.#finish();
    this.#onAttemptEnd();
  }

  #finish(): void {
    this.#takeBack();
    this.close();
  }
}

/** The payload as the task-service takes it. */
function payloadText(payload: object): string {
  const text = jsonText(payload);
  if (text === undefined || !text.startsWith("{")) throw new TypeError("a payload is a JSON object");
  const problem = jsonProblem(JSON.parse(text), text);
  if (problem !== undefined) throw new TypeError(`the payload ${problem}`);
  return text;
}
