import type { RunHistory } from "#test/robustness/history.js";
import type { Mutable } from "#test/robustness/sound-history.js";
import { WATCH } from "#test/robustness/watches/sound-watches.js";
import type { WatchFrame, WatchRecord } from "#test/robustness/watches/watch-history.js";

/** A stream of a sound history, to be spoiled. */
export function watchOf({ watches }: Mutable<RunHistory>, name: keyof typeof WATCH): Mutable<WatchRecord> {
  const record = watches[WATCH[name]];
  if (record === undefined) throw new Error(`no watch ${name}`);
  return record;
}

/** One of its frames. */
export function frameOf(history: Mutable<RunHistory>, name: keyof typeof WATCH, place: number): Mutable<WatchFrame> {
  const frame = watchOf(history, name).frames[place];
  if (frame === undefined) throw new Error(`watch ${name} has no frame ${place}`);
  return frame;
}
