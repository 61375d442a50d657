/** How far a handler is. Either a fraction, or units done with or without a total. */
export interface ProgressUpdate {
  /** Done share; cut to [0, 1]. */
  readonly fraction?: number;
  /** Units done, 0 or more. */
  readonly current?: number;
  /** Units in all, 0 or more. */
  readonly total?: number;
  /** What is going on; at most 200 characters, longer ones are cut. */
  readonly message?: string;
}

/** Writes a line into the task's own history, not into the worker's log. */
export type LogLine = (message: string, fields?: Readonly<Record<string, unknown>>) => void;

/** What a handler gets. */
export interface TaskContext<P = unknown> {
  /** The payload, as the payload schema returned it. */
  readonly payload: P;
  readonly taskId: string;
  /**
   * Number of this attempt, from 1. It only rises, so it can fence writes to systems of your own: let them refuse a write that comes with
   * a lower number than one they have seen for this task. Attempts that were handed back have a number too.
   */
  readonly attempt: number;
  /** How many attempts the task gets as far as the worker knows; 0: the server's default applies. */
  readonly maxAttempts: number;
  /** Fires on cancel, at the soft limit and when the worker must stop. Its reason is a `TaskAborted` that says which. */
  readonly signal: AbortSignal;
  /** The hard limit: when the isolate is killed. */
  readonly deadline: Date;
  /** Says how far the work is. Cheap; the latest wins, and at most one update per interval (default 100 ms) leaves the worker. */
  progress(update: number | ProgressUpdate, message?: string): void;
  /** Log lines for watchers; 4 KiB each, capped per attempt, and the cap says so. */
  readonly log: { readonly debug: LogLine; readonly info: LogLine; readonly warn: LogLine; readonly error: LogLine };
  /** Streams text to watchers under a name (default `output`, at most 63 characters); capped per attempt, and the cap says so. */
  output(text: string, name?: string): void;
}
