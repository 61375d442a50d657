import { isTerminalEvent } from "#libs/client/task-watch.js";
import { delay } from "#libs/async/delay.js";
import type { TaskwireClient } from "#libs/client/taskwire-client.js";
import { quantile, type Figures } from "#cli/bench/scenario.js";
import { clientOf, createAll, type WatchingBench, type WatchingCase } from "#cli/bench/watching/watching-bench.js";

const TASKS = 60_000;
const IDLE_PER_SECOND = 20;
const IDLE_TASKS = 200;
const BUSY_SECONDS = 5;
/** A task of the latency cases is one of these; those of the load are not. */
const PROBE = "probe";

/** One stream, or a few, of everything that happens. */
export const everythingCases: readonly WatchingCase[] = [
  ...[0, 1, 10].map((watchers): WatchingCase => ({
    name: `everything × ${watchers}`,
    about: "WatchTasks of all states while batches create no-op tasks as fast as they can",
    run: (bench) => watchEverything(bench, watchers),
  })),
  {
    name: "latency idle",
    about: `commit to WatchTasks frame in the client, ${IDLE_PER_SECOND} tasks/s, by the clock of both, whole milliseconds`,
    run: (bench) => latency(bench, 0),
  },
  {
    name: "latency at half load",
    about: "the same while batches run at half the rate of “everything × 1”",
    run: async (bench) => {
      const full = await watchEverything(bench, 1);
      return latency(bench, (full["tasks/s"] ?? 0) / 2);
    },
  },
];

async function watchEverything(bench: WatchingBench, watchers: number): Promise<Figures> {
  const tasks = Math.round(TASKS * bench.scale);
  const leave = new AbortController();
  let events = 0;
  let lagged = 0;
  const done: Promise<void>[] = [];
  const ready: Promise<void>[] = [];
  for (let number = 0; number < watchers; number += 1) {
    let onReady = () => undefined as void;
    ready.push(new Promise((resolve) => (onReady = resolve)));
    done.push(
      (async () => {
        let ended = 0;
        const options = { start: "now", filter: "type = system.no_op", signal: leave.signal } as const;
        for await (const frame of clientOf(bench, number).watchTasks(options)) {
          onReady();
          lagged += frame.lagged.length;
          for (const change of frame.changes) {
            if (change.kind !== "event") continue;
            events += 1;
            if (isTerminalEvent(change.event)) ended += 1;
          }
          if (ended === tasks) return;
        }
      })(),
    );
  }
  await Promise.all(ready);
  const startMs = performance.now();
  const ids = await createAll(bench.client, tasks, { type: "system.no_op" });
  if (watchers === 0) await untilNothingIsOpen(bench.client, ids.at(-1) ?? "");
  await Promise.all(done);
  const seconds = (performance.now() - startMs) / 1000;
  leave.abort();
  return { "tasks/s": tasks / seconds, "events/s": events / seconds, lagged };
}

async function untilNothingIsOpen(client: TaskwireClient, lastId: string): Promise<void> {
  await client.waitFor(lastId);
  const filter = "state = PENDING OR state = RUNNING";
  while ((await client.listPage({ filter, pageSize: 1 })).tasks.length > 0) await delay(20);
}

async function latency(bench: WatchingBench, loadPerSecond: number): Promise<Figures> {
  const { client } = bench;
  const leave = new AbortController();
  const millis: number[] = [];
  const tasks = Math.round(IDLE_TASKS * bench.scale);
  let ended = 0;
  let onReady = () => undefined as void;
  const ready = new Promise<void>((resolve) => (onReady = resolve));
  const watching = (async () => {
    const options = { start: "now", filter: `labels.bench = ${PROBE}`, signal: leave.signal } as const;
    for await (const frame of clientOf(bench, 0).watchTasks(options)) {
      onReady();
      const nowMs = Date.now();
      for (const change of frame.changes) {
        if (change.kind !== "event") continue;
        millis.push(nowMs - (change.event.time?.getTime() ?? nowMs));
        if (isTerminalEvent(change.event)) ended += 1;
      }
      if (ended >= tasks) return;
    }
  })();
  await ready;
  const isOver = new AbortController();
  const load = loadPerSecond > 0 ? runLoad(clientOf(bench, 1), loadPerSecond, isOver.signal) : Promise.resolve();
  if (loadPerSecond > 0) await delay(BUSY_SECONDS * 200);
  for (let number = 0; number < tasks; number += 1) {
    await client.create("system.no_op", {}, { labels: { bench: PROBE } });
    await delay(1000 / IDLE_PER_SECOND);
  }
  await watching;
  isOver.abort();
  await load;
  millis.sort((a, b) => a - b);
  return { "p50 ms": quantile(millis, 0.5), "p99 ms": quantile(millis, 0.99), "load/s": loadPerSecond };
}

const LOAD_BATCH = 100;

async function runLoad(client: TaskwireClient, perSecond: number, signal: AbortSignal): Promise<void> {
  const startMs = performance.now();
  for (let made = 0; !signal.aborted; made += LOAD_BATCH) {
    const dueMs = startMs + (made * 1000) / perSecond;
    if (dueMs > performance.now()) await delay(dueMs - performance.now());
    await createAll(client, LOAD_BATCH, { type: "system.no_op" });
  }
}
