import { setMaxListeners } from "node:events";
import { delay } from "#libs/async/delay.js";
import { isTerminalEvent } from "#libs/client/task-watch.js";
import { watchTasks } from "#libs/client/service-methods.js";
import { WatchTasksRequest } from "#libs/proto/gen/taskwire/v1/task_service.js";
import { Channel } from "#libs/rpc/channel.js";
import { readProcessUsage } from "#cli/bench/process-usage.js";
import { quantile, type Figures } from "#cli/bench/scenario.js";
import { clientOf, createAll, type WatchingBench, type WatchingCase } from "#cli/bench/watching/watching-bench.js";

const STALLED = 20;
const WARM_UP_MS = 60_000;
const WITHOUT_MS = 180_000;
const WITH_MS = 600_000;
const IN_FLIGHT = 4;
const BATCH = 250;
const SAMPLE_MS = 1000;
const MIB = 1024 * 1024;

/** Streams of everything that are opened and never read, under full load: three minutes without them, then ten with them. */
export const stalledCase: WatchingCase = {
  name: "stalled",
  about: `${STALLED} watchers of everything that never read, under full load: resident memory of the service, and what a watcher that reads sees`,
  run: stalled,
};

async function stalled(bench: WatchingBench): Promise<Figures> {
  const isOver = new AbortController();
  const rss: number[] = [];
  const latencies: number[] = [];
  const watching = read(bench, latencies, isOver.signal);
  const loads = Array.from({ length: IN_FLIGHT }, () => load(bench, isOver.signal));
  const sampling = sample(bench, rss, isOver.signal);
  // The heap grows to its usual size first.
  await delay(WARM_UP_MS * bench.scale);
  const phase = async (phaseMs: number) => {
    rss.length = 0;
    latencies.length = 0;
    const before = readProcessUsage(bench.stack.service.pid ?? 0)?.cpuMs ?? 0;
    await delay(phaseMs);
    const cpuMs = (readProcessUsage(bench.stack.service.pid ?? 0)?.cpuMs ?? 0) - before;
    const [byMs, bySize] = [latencies, rss].map((values) => [...values].sort((a, b) => a - b));
    return {
      p50: quantile(byMs ?? [], 0.5),
      p99: quantile(byMs ?? [], 0.99),
      tasks: latencies.length / (phaseMs / 1000),
      rss: quantile(bySize ?? [], 0.5) / MIB,
      first: (rss[0] ?? 0) / MIB,
      last: (rss.at(-1) ?? 0) / MIB,
      cpu: cpuMs / phaseMs,
    };
  };
  const without = await phase(WITHOUT_MS * bench.scale);
  const stop = openStalled(bench);
  const withStalled = await phase(WITH_MS * bench.scale);
  stop();
  isOver.abort();
  await Promise.all([watching, sampling, ...loads]);
  const figures: Record<string, number> = {};
  for (const [name, value] of Object.entries(without)) {
    figures[`${name} without`] = value;
    figures[`${name} with`] = withStalled[name as keyof typeof withStalled];
  }
  return figures;
}

/** Opens streams whose frames nobody takes. */
function openStalled({ stack }: WatchingBench): () => void {
  const channel = new Channel({ address: stack.address, hasOwnConnection: true });
  const abort = new AbortController();
  setMaxListeners(0, abort.signal);
  for (let number = 0; number < STALLED; number += 1) {
    const request = WatchTasksRequest.fromPartial({
      start: { $case: "fromNow", value: true },
      classes: [1, 2, 3, 4],
    });
    channel
      .serverStream(watchTasks, request, { signal: abort.signal })
      .next()
      .catch(() => undefined);
  }
  return () => {
    abort.abort();
    channel.close();
  };
}

/** Milliseconds from commit to here of every end. */
async function read(bench: WatchingBench, latencies: number[], signal: AbortSignal): Promise<void> {
  try {
    for await (const { changes } of clientOf(bench, 0).watchTasks({ start: "now", classes: ["states"], signal })) {
      const nowMs = Date.now();
      for (const change of changes)
        if (change.kind === "event" && isTerminalEvent(change.event))
          latencies.push(nowMs - (change.event.time?.getTime() ?? nowMs));
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

async function load(bench: WatchingBench, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const ids = await createAll(clientOf(bench, 1), BATCH, { type: "system.no_op" });
    await clientOf(bench, 1).waitFor(ids.slice(-1)[0] ?? "");
  }
}

async function sample({ stack }: WatchingBench, rss: number[], signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    rss.push(readProcessUsage(stack.service.pid ?? 0)?.rssBytes ?? 0);
    await delay(SAMPLE_MS);
  }
}
