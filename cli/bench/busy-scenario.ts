import { availableParallelism } from "node:os";
import { delay } from "#libs/async/delay.js";
import { TaskState, type TaskwireClient } from "#libs/client/taskwire-client.js";
import { PROCESS_QUEUE } from "#cli/bench/bench-stack.js";
import { quantile, type Figures, type Scenario, type ScenarioContext } from "#cli/bench/scenario.js";
import { createInBatches } from "#cli/bench/throughput-scenarios.js";

const GETS_PER_SECOND = 200;
/** Longer than the creates take; it is cancelled after them. */
const SPIN_MS = 30_000;
const POLL_MS = 20;

/** How soon GetTask answers while everything else is busy. */
export const busyScenario: Scenario = {
  name: "get while all is busy",
  about: `GetTask, ${GETS_PER_SECOND}/s, while a handler spins on every core and batches saturate the write path`,
  tasks: 60_000,
  run: getWhileBusy,
};

async function getWhileBusy({ single, tasks }: ScenarioContext): Promise<Figures> {
  const spinning = await single.createMany(
    Array.from({ length: availableParallelism() }, () => ({
      type: "bench.spin",
      queue: PROCESS_QUEUE,
      payload: { ms: SPIN_MS },
    })),
  );
  const ids = spinning.map(({ id }) => id);
  await Promise.all(ids.map((id) => untilState(single, id, TaskState.RUNNING)));
  const startMs = performance.now();
  const ended = new AbortController();
  const asking = getRepeatedly(single, ids[0] ?? "", ended.signal);
  await createInBatches(single, tasks, "system.no_op");
  const createdMs = performance.now();
  ended.abort();
  const millis = (await asking).sort((a, b) => a - b);
  await Promise.all(ids.map((id) => single.cancel(id)));
  await Promise.all(ids.map((id) => untilState(single, id, TaskState.CANCELLED)));
  return {
    "p50 ms": quantile(millis, 0.5),
    "p99 ms": quantile(millis, 0.99),
    "creates/s": (tasks / (createdMs - startMs)) * 1000,
  };
}

async function getRepeatedly(client: TaskwireClient, id: string, signal: AbortSignal): Promise<number[]> {
  const millis: number[] = [];
  const running: Promise<void>[] = [];
  for (const firstMs = performance.now(); !signal.aborted;) {
    const dueMs = firstMs + (running.length * 1000) / GETS_PER_SECOND;
    if (dueMs > performance.now()) await delay(dueMs - performance.now());
    const askedMs = performance.now();
    running.push(
      client.get(id).then(() => {
        millis.push(performance.now() - askedMs);
      }),
    );
  }
  await Promise.all(running);
  return millis;
}

async function untilState(client: TaskwireClient, id: string, state: TaskState): Promise<void> {
  while ((await client.get(id)).state !== state) await delay(POLL_MS);
}
