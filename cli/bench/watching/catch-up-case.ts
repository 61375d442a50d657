import { clientOf, type WatchingBench, type WatchingCase } from "#cli/bench/watching/watching-bench.js";
import type { TaskwireClient } from "#libs/client/taskwire-client.js";
import type { Figures } from "#cli/bench/scenario.js";

const WATCHERS = 1000;
const EVENTS_PER_TASK = 100;
const OTHER_EVENTS = 3;

/** A thousand watchers that come back after a restart. */
export const catchUpCase: WatchingCase = {
  name: "catch up",
  about: `${WATCHERS} watchers catch up ${WATCHERS * EVENTS_PER_TASK} events after a restart of the service: one task each by WatchTask, and by WatchTasks with a filter of their own (id, label); and 10 watchers all events each`,
  run: catchUp,
};

async function catchUp(bench: WatchingBench): Promise<Figures> {
  const { client, stack } = bench;
  const count = Math.round(WATCHERS * bench.scale);
  const lines = EVENTS_PER_TASK - OTHER_EVENTS;
  const startRevision = await revisionOf(client);
  const ids: string[] = [];
  for (let number = 0; number < count; number += 1) {
    const labels = { watcher: String(number) };
    ids.push((await client.create("bench.chatter", { lines }, { labels })).id);
  }
  await client.waitFor(ids);
  await stack.service.restart();
  await client.ready();
  const start = { afterRevision: startRevision };
  const classes = ["states", "logs"] as const;
  const one = await timed(ids.length, async (number) => {
    let events = 0;
    for await (const frame of clientOf(bench, number).watch(ids[number] ?? "", { afterSequence: 0 }))
      events += Number(frame.kind === "event");
    return events;
  });
  const many = (filterOf: (number: number) => string, watchers: number, expected: number) =>
    timed(watchers, async (number) => {
      let events = 0;
      const filter = filterOf(number);
      for await (const frame of clientOf(bench, number).watchTasks({ filter, start, classes })) {
        events += frame.changes.length;
        if (events >= expected) break;
      }
      return events;
    });
  const byId = await many((number) => `id = "${ids[number]}"`, ids.length, EVENTS_PER_TASK);
  const byLabel = await many((number) => `labels.watcher = "${number}"`, ids.length, EVENTS_PER_TASK);
  const everything = await many(() => "", 10, count * EVENTS_PER_TASK);
  return {
    "s WatchTask": one,
    "s by id": byId,
    "s by label": byLabel,
    "s 10 × everything": everything,
  };
}

/** Seconds until all have seen what they waited for. */
async function timed(watchers: number, watch: (number: number) => Promise<number>): Promise<number> {
  const startMs = performance.now();
  await Promise.all(Array.from({ length: watchers }, (_, number) => watch(number)));
  return (performance.now() - startMs) / 1000;
}

async function revisionOf(client: TaskwireClient): Promise<number> {
  for await (const { bookmarkRevision } of client.watchTasks({ start: "now" }))
    if (bookmarkRevision !== undefined) return bookmarkRevision;
  return 0;
}
