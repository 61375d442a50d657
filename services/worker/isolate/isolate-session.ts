import { deferred, type Deferred } from "#libs/async/deferred.js";
import type { AbortCause } from "#libs/define-task/task-errors.js";
import { TaskwireError } from "#libs/errors/taskwire-error.js";
import type { DeathOutcome, IsolateOutcome } from "#libs/attempts/isolate-outcome.js";
import type { RunOrder } from "#libs/attempts/run-order.js";
import type { IsolateRun, RunListener } from "#worker/isolate/isolate.js";
import { readChildMessage, type DescribedTask, type ParentMessage } from "#worker/isolate/protocol.js";

/** What a session needs of the process or thread it talks to. */
export interface IsolateChannel {
  send(message: ParentMessage): void;
  /** Ends the other side at once; {@link IsolateSession.onDeath} follows. */
  kill(): void;
}

/**
 * The owner's side of the talk with one process or thread: set up once, then one attempt at a time. Messages of an attempt that
 * has ended (a handler that left something running) are not heard.
 *
 * After a handler that was aborted, or has thrown and left something running, the isolate is killed, and the end of the attempt is told
 * when it is gone: from then on no code of that handler runs.
 */
export class IsolateSession {
  readonly #channel: IsolateChannel;
  readonly #ready: Deferred<readonly DescribedTask[]> = deferred();
  readonly #gone: Deferred<DeathOutcome> = deferred();
  #run = 0;
  #listener: RunListener | undefined;
  /** Why the attempt was asked to stop, until the other side has answered. */
  readonly #unanswered = new Set<AbortCause>();
  #aborted = false;
  /** How the handler ended, while its isolate is being killed. */
  #outcome: IsolateOutcome | undefined;
  #isReady = false;
  #killed = false;
  #dead = false;

  constructor(channel: IsolateChannel) {
    this.#channel = channel;
    this.#ready.promise.catch(() => undefined);
  }

  /** Resolves with what the modules define; rejects when they are broken or the isolate died before. */
  get ready(): Promise<readonly DescribedTask[]> {
    return this.#ready.promise;
  }

  /** Resolves when the isolate is gone. */
  get gone(): Promise<DeathOutcome> {
    return this.#gone.promise;
  }

  /** Whether it is ready, alive, and runs nothing. */
  get usable(): boolean {
    return this.#isReady && !this.#dead && !this.#killed && this.#listener === undefined;
  }

  /** Whether an attempt is under way. */
  get busy(): boolean {
    return this.#listener !== undefined;
  }

  /** Whether it was ended on purpose. */
  get killed(): boolean {
    return this.#killed;
  }

  begin(order: RunOrder, listener: RunListener): IsolateRun {
    if (!this.usable) throw new Error("the isolate cannot take an attempt now");
    this.#run += 1;
    const run = this.#run;
    this.#listener = listener;
    this.#channel.send({ kind: "run", run, order });
    const isOver = () => this.#run !== run || !this.busy || this.#outcome !== undefined;
    return {
      get ended() {
        return isOver();
      },
      abort: (cause: AbortCause, message: string) => {
        if (isOver()) return;
        this.#aborted = true;
        this.#unanswered.add(cause);
        this.#channel.send({ kind: "abort", run, cause, message });
      },
      kill: () => {
        if (!isOver()) this.kill();
      },
    };
  }

  /** Ends the isolate at once. */
  kill(): void {
    if (this.#dead || this.#killed) return;
    this.#killed = true;
    this.#channel.kill();
  }

  /** Takes a message from the other side. */
  onMessage(received: unknown): void {
    const message = readChildMessage(received);
    if (message === undefined || this.#killed) return;
    if (message.kind === "ready") {
      this.#isReady = true;
      this.#ready.resolve(message.tasks);
    } else if (message.kind === "broken") {
      this.#ready.reject(
        new TaskwireError({ code: "FAILED_PRECONDITION", reason: "MODULE_BROKEN", message: message.message }),
      );
    } else if (message.run === this.#run && this.#listener !== undefined) {
      const listener = this.#listener;
      if (message.kind === "progress") listener.onProgress(message.claim);
      else if (message.kind === "log") listener.onLog(message.claim);
      else if (message.kind === "output") listener.onOutput(message.claim);
      else if (message.kind === "ended") this.#onEnded(listener, message.outcome, message.leftRunning);
      // Handler code shares the channel: an answer to what was never asked is not ours.
      else if (this.#unanswered.delete(message.cause)) listener.onAborted(message.cause);
    }
  }

  /** Takes the end of the other side. */
  onDeath(death: DeathOutcome): void {
    if (this.#dead) return;
    this.#dead = true;
    this.#ready.reject(
      new TaskwireError({
        code: "FAILED_PRECONDITION",
        reason: "ISOLATE_DIED_EARLY",
        message: `the isolate ended before it was ready${death.stderrTail === "" ? "" : `: ${death.stderrTail}`}`,
      }),
    );
    const listener = this.#listener;
    this.#listener = undefined;
    listener?.onEnd(this.#outcome ?? death);
    this.#gone.resolve(death);
  }

  #onEnded(listener: RunListener, outcome: IsolateOutcome, leftRunning: boolean): void {
    if (this.#aborted || leftRunning) {
      this.#outcome = outcome;
      this.kill();
    } else {
      this.#listener = undefined;
      listener.onEnd(outcome);
    }
  }
}
