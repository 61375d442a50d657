import { delay } from "#libs/async/delay.js";
import type { TaskwireClient } from "#libs/client/taskwire-client.js";
import { inFlight, quantile, type Figures, type Scenario } from "#cli/bench/scenario.js";

const RATE_PER_SECOND = 100;
const WATCHES_IN_FLIGHT = 100;

/** What a watcher sees, and how soon. */
export const watchScenarios: readonly Scenario[] = [
  {
    name: "latency at 100/s",
    about: `CreateTask to COMPLETED seen on a watch stream, ${RATE_PER_SECOND} tasks/s, no-op inline handler`,
    tasks: 1000,
    run: ({ single, tasks }) => latency(single, tasks),
  },
  {
    name: "watch per task",
    about: `CreateTask and WatchTask to the end, ${WATCHES_IN_FLIGHT} at once, no-op inline handler`,
    tasks: 5000,
    run: ({ single, tasks }) => watchEach(single, tasks),
  },
];

async function latency(client: TaskwireClient, tasks: number): Promise<Figures> {
  const millis: number[] = [];
  const running: Promise<void>[] = [];
  const startMs = performance.now();
  for (let index = 0; index < tasks; index += 1) {
    const dueMs = startMs + (index * 1000) / RATE_PER_SECOND;
    if (dueMs > performance.now()) await delay(dueMs - performance.now());
    running.push(
      createAndWatch(client).then((ms) => {
        millis.push(ms);
      }),
    );
  }
  await Promise.all(running);
  millis.sort((a, b) => a - b);
  return { "p50 ms": quantile(millis, 0.5), "p99 ms": quantile(millis, 0.99) };
}

async function watchEach(client: TaskwireClient, tasks: number): Promise<Figures> {
  const startMs = performance.now();
  await inFlight(tasks, WATCHES_IN_FLIGHT, async () => {
    await createAndWatch(client);
  });
  return { "tasks/s": (tasks / (performance.now() - startMs)) * 1000 };
}

/** Milliseconds from the call to the terminal frame. */
async function createAndWatch(client: TaskwireClient): Promise<number> {
  const startMs = performance.now();
  const task = await client.create("system.no_op");
  for await (const frame of client.watch(task.id, { afterSequence: task.sequence })) void frame;
  return performance.now() - startMs;
}
