import { performance } from "node:perf_hooks";
import type { ProgressPicture, ProgressView, RunningTask } from "#cli/demo/progress-view.js";

/** A task that did not complete, and why. */
export interface TaskFailure {
  readonly title: string;
  readonly reason: string;
}

interface NamedTask {
  readonly id: string;
  readonly title: string;
}

/** Adds up what watch streams tell about a set of tasks, and shows it. */
export class TaskBoard {
  readonly #label: string;
  readonly #total: number;
  readonly #view: ProgressView;
  readonly #startMs = performance.now();
  readonly #running = new Map<string, RunningTask>();
  readonly #failures: TaskFailure[] = [];
  #completed = 0;
  #endMs: number | undefined;

  constructor(label: string, total: number, view: ProgressView) {
    this.#label = label;
    this.#total = total;
    this.#view = view;
    this.#show();
  }

  /** How many tasks there are. */
  get total(): number {
    return this.#total;
  }

  /** The tasks that did not complete. */
  get failures(): readonly TaskFailure[] {
    return this.#failures;
  }

  /** The time from the first look to the end, or until now, in milliseconds. */
  get elapsedMs(): number {
    return (this.#endMs ?? performance.now()) - this.#startMs;
  }

  /** A task runs, and is so far. */
  progress(task: NamedTask, fraction: number, message: string): void {
    this.#running.set(task.id, { title: task.title, fraction, message });
    this.#show();
  }

  /** A task runs no more, and will run again. */
  waiting(task: NamedTask): void {
    this.#running.delete(task.id);
    this.#show();
  }

  completed(task: NamedTask): void {
    this.#completed += 1;
    this.waiting(task);
  }

  failed(task: NamedTask, reason: string): void {
    this.#failures.push({ title: task.title, reason });
    this.waiting(task);
  }

  /** Shows the end. */
  end(): void {
    this.#endMs = performance.now();
    this.#view.end();
  }

  #show(): void {
    const picture: ProgressPicture = {
      label: this.#label,
      done: this.#completed + this.#failures.length,
      total: this.#total,
      failed: this.#failures.length,
      elapsedMs: this.elapsedMs,
      running: [...this.#running.values()],
    };
    this.#view.show(picture);
  }
}
