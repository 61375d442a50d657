import type { SelectedLog } from "#test/robustness/watches/selected-log.js";
import type { WatchFindings } from "#test/robustness/watches/watch-findings.js";
import type { WatchPosition } from "#test/robustness/watches/watch-position.js";
import type { WholeLog } from "#test/robustness/watches/whole-log.js";

/** What a stream is held against. */
export interface StreamTruth {
  readonly whole: WholeLog;
  readonly log: SelectedLog;
  readonly findings: WatchFindings;
}

/** A stream that is held against it, as far as it has been gone through. */
export interface StreamSoFar {
  readonly truth: StreamTruth;
  readonly position: WatchPosition;
  /** For people. */
  readonly name: string;
  /** The log had come so far before it began. */
  readonly reached: number;
  /** Accounts for the steps before a place. Each must have been told or named, unless it was not due. */
  advance(index: number, isBookmark?: boolean): void;
}
