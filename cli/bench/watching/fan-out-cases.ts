import { delay } from "#libs/async/delay.js";
import { clientOf, createAll, type WatchingBench, type WatchingCase } from "#cli/bench/watching/watching-bench.js";
import type { Figures } from "#cli/bench/scenario.js";

/** Events of all tasks of a case together, as far as the cap of log lines of an attempt allows. */
const EVENTS = 100_000;
const MAX_LINES = 1000;
/** Created, started and the end. */
const OTHER_EVENTS = 3;
/** How long opening a watch may take at worst, until its task begins. */
const OPEN_MS_PER_WATCH = 1.2;
const MIN_OPEN_MS = 2000;

/** Events per second to watchers of one task each. */
export const fanOutCases: readonly WatchingCase[] = [1, 100, 1000, 10_000].map((watchers) => ({
  name: `${watchers.toLocaleString("en-US")} watchers`,
  about: "of one task each, whose handler logs line after line: events to all of them",
  run: (bench) => watchEach(bench, Math.max(1, Math.round(watchers * Math.min(1, bench.scale)))),
}));

async function watchEach(bench: WatchingBench, watchers: number): Promise<Figures> {
  const lines = Math.min(MAX_LINES, Math.max(1, Math.round((EVENTS * bench.scale) / watchers) - OTHER_EVENTS));
  const openMs = Math.max(MIN_OPEN_MS, watchers * OPEN_MS_PER_WATCH);
  const runTime = new Date(Date.now() + openMs);
  const ids = await createAll(bench.client, watchers, { type: "bench.chatter", payload: { lines }, runTime });
  let events = 0;
  let opened = 0;
  const beganMs = performance.now();
  const ended = Promise.all(
    ids.map(async (id, number) => {
      for await (const frame of clientOf(bench, number).watch(id)) {
        if (frame.kind === "event") events += 1;
        else opened += 1;
      }
    }),
  );
  while (opened < watchers) await delay(5);
  const openedMs = performance.now() - beganMs;
  await delay(Math.max(0, runTime.getTime() - Date.now()));
  const startMs = performance.now();
  await ended;
  const seconds = (performance.now() - startMs) / 1000;
  return { "events/s": events / seconds, events, "ms to open all": openedMs };
}
