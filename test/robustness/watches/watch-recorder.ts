import { isCut } from "#libs/client/is-cut.js";
import { TaskwireError } from "#libs/errors/taskwire-error.js";
import { monotonicMs } from "#test/robustness/effect-journal.js";
import { errorText } from "#test/robustness/recorder.js";
import type { WatchFrame, WatchRecord } from "#test/robustness/watches/watch-history.js";

/** A frame with whose token a stream may begin. */
export interface KeptToken {
  readonly stream: number;
  readonly frame: number;
  readonly token: string;
  /** Before the end of a snapshot. */
  readonly isWithinSnapshot: boolean;
}

/** Writes down what watchers of many tasks are told. */
export class WatchRecorder {
  readonly watches: WatchRecord[] = [];
  readonly #tokens = new Map<string, KeptToken[]>();
  /** Streams whose snapshot is not complete. */
  readonly #withinSnapshot = new Set<WatchRecord>();
  #lastRevision = 0;

  /** The greatest revision that any frame has named. */
  get lastRevision(): number {
    return this.#lastRevision;
  }

  /** The tokens a watcher has been given, in the order of its frames. */
  tokensOf(watcher: string): readonly KeptToken[] {
    return this.#tokens.get(watcher) ?? [];
  }

  /** Begins the record of a stream. `isWithinSnapshot`: it begins with a snapshot, or within one. */
  open(
    subject: Pick<WatchRecord, "watcher" | "via" | "filter" | "classes" | "start">,
    isWithinSnapshot: boolean,
  ): WatchRecord {
    const beginMs = monotonicMs();
    const { watcher, via, filter, classes, start } = subject;
    const record: WatchRecord = {
      ...{ stream: this.watches.length + 1, watcher, via, filter, classes, start },
      ...{ beginMs, endMs: beginMs, end: "open", bounds: undefined, stalls: [], frames: [] },
    };
    this.watches.push(record);
    if (isWithinSnapshot) this.#withinSnapshot.add(record);
    return record;
  }

  /** Adds a frame to the record of its stream. */
  frame(record: WatchRecord, frame: Omit<WatchFrame, "atMs">): void {
    record.frames.push({ atMs: monotonicMs(), ...frame });
    const { synced = 0, bookmark = 0, token } = frame;
    if (synced > 0) this.#withinSnapshot.delete(record);
    this.#lastRevision = Math.max(this.#lastRevision, synced, bookmark, frame.steps.at(-1)?.revision ?? 0);
    const tokens = this.#tokens.get(record.watcher) ?? [];
    this.#tokens.set(record.watcher, tokens);
    const isWithinSnapshot = this.#withinSnapshot.has(record);
    tokens.push({ stream: record.stream, frame: record.frames.length - 1, token, isWithinSnapshot });
  }

  /** Notes that a watcher reads nothing until the returned function is called. */
  stall(record: WatchRecord): () => void {
    const fromMs = monotonicMs();
    return () => {
      record.stalls.push({ fromMs, toMs: monotonicMs() });
    };
  }

  /** Ends the record of a stream that was left, or that the service ended. */
  close(record: WatchRecord, end: "left" | "ok"): void {
    record.end = end;
    record.endMs = monotonicMs();
  }

  /** Ends the record of a stream with an error. */
  fail(record: WatchRecord, error: unknown): void {
    record.end = `${isCut(error) ? "cut: " : ""}${errorText(error)}`;
    record.endMs = monotonicMs();
    if (!(error instanceof TaskwireError) || error.code !== "OUT_OF_RANGE") return;
    const { revision, oldestRevision, currentRevision } = error.metadata;
    record.bounds = {
      reason: error.reason,
      revision: Number(revision),
      oldestRevision: Number(oldestRevision),
      currentRevision: Number(currentRevision),
    };
  }
}
