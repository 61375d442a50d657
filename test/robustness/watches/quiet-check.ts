import type { Evidence } from "#test/robustness/evidence.js";
import type { WatchRecord } from "#test/robustness/watches/watch-history.js";
import { streamName } from "#test/robustness/watches/watch-words.js";

/** Ten heartbeats of the run's service: what is quiet for longer is too quiet. */
const TOO_QUIET_MS = 3000;

/** A time in which a stream told nothing. */
interface Gap {
  readonly record: WatchRecord;
  readonly fromMs: number;
  readonly toMs: number;
}

/**
 * No stream of a bare call is without a sign while others of the same time hear from the service again and again: their frames prove
 * that it is up, and that its bytes come through.
 */
export function checkQuiet(watches: readonly WatchRecord[], evidence: Evidence): void {
  const bare = watches.filter(({ via }) => via === "raw");
  const gaps = bare.flatMap(gapsOf);
  for (const { record, fromMs, toMs } of gaps) {
    const thirdMs = (toMs - fromMs) / 3;
    const hearsAll = bare.some(
      (other) =>
        other !== record &&
        other.beginMs < fromMs &&
        other.endMs >= toMs &&
        [0, 1, 2].every((third) => {
          const beginMs = fromMs + third * thirdMs;
          return other.frames.some(({ atMs }) => atMs > beginMs && atMs < beginMs + thirdMs);
        }),
    );
    evidence.expect(
      !hearsAll,
      () =>
        `${streamName(record)} was told nothing for ${Math.round(toMs - fromMs)} ms, while others heard of the service`,
    );
  }
  const bookmarks = watches.flatMap(({ frames }) => frames).filter(({ bookmark }) => bookmark !== undefined).length;
  evidence.note(`${bookmarks} bookmarks; ${gaps.length} times a stream was told nothing for ${TOO_QUIET_MS} ms`);
}

function gapsOf(record: WatchRecord): Gap[] {
  const { beginMs, endMs, frames, stalls } = record;
  const marks = frames.filter(
    ({ steps, lagged, tasks, bookmark }) => steps.length + lagged.length + tasks.length > 0 || bookmark !== undefined,
  );
  const times = [beginMs, ...marks.map(({ atMs }) => atMs), endMs];
  return times.slice(1).flatMap((toMs, place) => {
    const fromMs = times[place] ?? toMs;
    // While nothing was read, and until what had gathered was, nothing can be said.
    const isStalled = stalls.some((stall) => stall.fromMs < toMs && stall.toMs > fromMs);
    return toMs - fromMs > TOO_QUIET_MS && !isStalled ? [{ record, fromMs, toMs }] : [];
  });
}
