import type { TaskDefinition } from "#libs/define-task/define-task.js";
import type { AbortCause } from "#libs/define-task/task-errors.js";
import { HandlerRun } from "#libs/attempts/handler-run.js";
import type { IsolateOutcome } from "#libs/attempts/isolate-outcome.js";
import type { RunOrder } from "#libs/attempts/run-order.js";
import type { Isolate, IsolateRun, RunListener } from "#worker/isolate/isolate.js";

/**
 * Handler code in the worker itself, many attempts at once: for trusted code that only ever waits. Killing an attempt means that
 * nobody waits for it any more; the code goes on until it notices its signal.
 */
export class InlineIsolate implements Isolate {
  readonly isolation = "inline";
  readonly #tasks: ReadonlyMap<string, TaskDefinition>;
  readonly #running = new Set<InlineRun>();
  #closed = false;

  /** `tasks`: definitions by type. */
  constructor(tasks: ReadonlyMap<string, TaskDefinition>) {
    this.#tasks = tasks;
  }

  get usable(): boolean {
    return !this.#closed;
  }

  begin(order: RunOrder, listener: RunListener): IsolateRun {
    if (this.#closed) throw new Error("the isolate cannot take an attempt now");
    const run = new InlineRun(this.#tasks.get(order.type), order, listener, this.#running);
    this.#running.add(run);
    return run;
  }

  close(): Promise<void> {
    this.#closed = true;
    for (const run of [...this.#running]) run.kill();
    return Promise.resolve();
  }
}

class InlineRun implements IsolateRun {
  readonly #listener: RunListener;
  readonly #handler: HandlerRun | undefined;
  readonly #running: Set<InlineRun>;
  #ended = false;

  constructor(task: TaskDefinition | undefined, order: RunOrder, listener: RunListener, running: Set<InlineRun>) {
    this.#listener = listener;
    this.#running = running;
    const outcome = (value: IsolateOutcome) => {
      this.#end(value);
    };
    if (task === undefined) {
      const message = `no loaded module defines ${order.type}`;
      void Promise.resolve({ kind: "refused", code: "UNKNOWN_TYPE", message, detailsJson: "" } as const).then(outcome);
      return;
    }
    this.#handler = new HandlerRun(task, order, listener);
    void this.#handler.outcome().then(outcome);
  }

  get ended(): boolean {
    return this.#ended;
  }

  abort(cause: AbortCause, message: string): void {
    if (this.#ended || this.#handler === undefined) return;
    this.#handler.abort(cause, message);
    this.#listener.onAborted(cause);
  }

  kill(): void {
    this.#handler?.abort("abandoned", "nobody waits for this attempt any more");
    queueMicrotask(() => {
      this.#end({ kind: "died", cause: "killed", exitCode: undefined, signal: undefined, stderrTail: "" });
    });
  }

  #end(outcome: IsolateOutcome): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#running.delete(this);
    this.#listener.onEnd(outcome);
  }
}
