import type { WatchedClass } from "#libs/client/tasks-watch.js";

/** What a watcher of many tasks wants to be told. */
export interface WatchSelection {
  readonly filter: string;
  readonly classes: readonly WatchedClass[];
}

/** Where a stream begins. `token`: with that of a frame of an earlier stream. */
export type WatchStart =
  | { readonly kind: "snapshot" | "now" }
  | { readonly kind: "revision"; readonly revision: number }
  | { readonly kind: "token"; readonly stream: number; readonly frame: number };

/** A step of the log as a stream told it. */
export interface SeenStep {
  readonly kind: "event" | "unselected";
  readonly revision: number;
  readonly taskId: string;
  readonly sequence: number;
  readonly state: number;
  /** Of an event: stands for everything it says, see `eventDigest`. */
  readonly digest: string;
}

/** A task of a snapshot. */
export interface SnapshotTask {
  readonly id: string;
  readonly sequence: number;
  readonly state: number;
  readonly attempt: number;
}

/** One frame of WatchTasks, whose parts count in this order. */
export interface WatchFrame {
  readonly atMs: number;
  readonly token: string;
  readonly lagged: readonly number[];
  readonly steps: readonly SeenStep[];
  readonly tasks: readonly SnapshotTask[];
  readonly synced: number | undefined;
  readonly bookmark: number | undefined;
}

/** What an OUT_OF_RANGE says. */
export interface ToldBounds {
  readonly reason: string;
  readonly revision: number;
  readonly oldestRevision: number;
  readonly currentRevision: number;
}

/** One stream of a watcher of many tasks, from its call to its end. Times are those of `monotonicMs`. */
export interface WatchRecord extends WatchSelection {
  /** Numbers these streams from 1 in the order of their calls. */
  readonly stream: number;
  readonly watcher: string;
  readonly via: "raw" | "client";
  readonly start: WatchStart;
  readonly beginMs: number;
  endMs: number;
  /** `ok`: the service ended it; `left`: the watcher did; `cut: …`: the connection broke or the service stopped; otherwise the error. */
  end: string;
  bounds: ToldBounds | undefined;
  /** When the watcher read nothing. */
  readonly stalls: { readonly fromMs: number; readonly toMs: number }[];
  readonly frames: WatchFrame[];
}

/** What never changes about a task, as GetTask tells it. */
export interface TaskConstants {
  readonly type: string;
  readonly queue: string;
  readonly priority: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly createTimeMs: number;
}
