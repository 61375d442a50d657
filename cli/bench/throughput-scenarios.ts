import { delay } from "#libs/async/delay.js";
import { TaskState, type TaskwireClient } from "#libs/client/taskwire-client.js";
import { DEFAULT_QUEUE } from "#libs/tasks/names.js";
import { PROCESS_QUEUE } from "#cli/bench/bench-stack.js";
import { inFlight, type Figures, type Scenario, type ScenarioContext } from "#cli/bench/scenario.js";

const UNARY_IN_FLIGHT = 100;
const GATHERED_IN_FLIGHT = 400;
const BATCH_SIZE = 100;
const BATCHES_IN_FLIGHT = 4;
const POLL_MS = 10;

/** From create to COMPLETED committed, by the ways to create. */
export const throughputScenarios: readonly Scenario[] = [
  {
    name: "unary, inline",
    about: `CreateTask, ${UNARY_IN_FLIGHT} in flight, no-op inline handler`,
    tasks: 20_000,
    run: (context) =>
      throughput(context, (tasks) => createSingly(context.single, tasks, UNARY_IN_FLIGHT, "system.no_op")),
  },
  {
    name: "library, inline",
    about: `client.create() with automatic batching, ${GATHERED_IN_FLIGHT} in flight, no-op inline handler`,
    tasks: 60_000,
    run: (context) =>
      throughput(context, (tasks) => createSingly(context.gathering, tasks, GATHERED_IN_FLIGHT, "system.no_op")),
  },
  {
    name: "batch of 100, inline",
    about: `BatchCreateTasks(${BATCH_SIZE}), ${BATCHES_IN_FLIGHT} in flight, no-op inline handler`,
    tasks: 60_000,
    run: (context) => throughput(context, (tasks) => createInBatches(context.single, tasks, "system.no_op")),
  },
  {
    name: "batch of 100, process",
    about: `BatchCreateTasks(${BATCH_SIZE}), no-op handler in a process of its own, recycled after 50 tasks`,
    tasks: 2000,
    run: (context) =>
      throughput(context, (tasks) => createInBatches(context.single, tasks, "system.no_op_process", PROCESS_QUEUE)),
  },
];

/** Creates no-op tasks and waits until all have ended. */
export async function finishTasks(client: TaskwireClient, tasks: number): Promise<void> {
  await createInBatches(client, tasks, "system.no_op");
  await untilNoneIsActive(client);
}

async function throughput(context: ScenarioContext, create: (tasks: number) => Promise<void>): Promise<Figures> {
  const startMs = performance.now();
  await create(context.tasks);
  const createdMs = performance.now();
  await untilNoneIsActive(context.single);
  const endMs = performance.now();
  return {
    "creates/s": (context.tasks / (createdMs - startMs)) * 1000,
    "tasks/s": (context.tasks / (endMs - startMs)) * 1000,
  };
}

function createSingly(client: TaskwireClient, tasks: number, limit: number, type: string): Promise<void> {
  return inFlight(tasks, limit, async (index) => {
    await client.create(type, { index });
  });
}

/** Creates tasks by BatchCreateTasks, several calls at once. */
export function createInBatches(
  client: TaskwireClient,
  tasks: number,
  type: string,
  queue = DEFAULT_QUEUE,
): Promise<void> {
  return inFlight(Math.ceil(tasks / BATCH_SIZE), BATCHES_IN_FLIGHT, async (batch) => {
    const count = Math.min(BATCH_SIZE, tasks - batch * BATCH_SIZE);
    await client.createMany(Array.from({ length: count }, (_, index) => ({ type, queue, payload: { index } })));
  });
}

/** Returns when no task is PENDING or RUNNING: all that were created have ended. */
async function untilNoneIsActive(client: TaskwireClient): Promise<void> {
  for (;;) {
    const page = await client.listPage({ states: [TaskState.PENDING, TaskState.RUNNING], orderBy: "id", pageSize: 1 });
    if (page.tasks.length === 0) return;
    await delay(POLL_MS);
  }
}
