import { delay } from "#libs/async/delay.js";
import type { TaskwireClient } from "#libs/client/taskwire-client.js";
import { TaskState } from "#libs/tasks/task-state.js";
import type { LocalStack } from "#cli/local-stack.js";
import type { ChildService } from "#cli/stack/child-service.js";

/** What breaks, and how long it takes until work flows again. */
export interface RecoveryCase {
  readonly name: string;
  /** From what to what the time is taken. */
  readonly about: string;
  /** Breaks it once and heals it again; returns the milliseconds. */
  readonly run: (stack: LocalStack, client: TaskwireClient) => Promise<number>;
}

const NO_OP = "system.no_op";
const HOLD = "bench.hold";
const WAITING_TASKS = 100;
const HEARD_POLL_MS = 20;

/** Every case, in the order in which they are measured. */
export const recoveryCases: readonly RecoveryCase[] = [
  {
    name: "worker killed",
    about: "SIGKILL of the worker → its task's next attempt started on another worker",
    run: (stack, client) => loseWorker(stack, client, "SIGKILL"),
  },
  {
    name: "worker paused",
    about: "SIGSTOP of the worker → its task's next attempt started on another worker",
    run: (stack, client) => loseWorker(stack, client, "SIGSTOP"),
  },
  {
    name: "service killed",
    about: "SIGKILL of the task-service, started again at once → a task created after the kill completed",
    run: async ({ service }, client) => {
      const begun = performance.now();
      await service.kill();
      const [milliseconds] = await Promise.all([completedAfter(client, begun), service.start()]);
      return milliseconds;
    },
  },
  {
    name: "NATS restarted",
    about: "SIGKILL of nats-server, started again at once → a task created after the kill completed",
    run: async ({ nats }, client) => {
      const begun = performance.now();
      const [milliseconds] = await Promise.all([completedAfter(client, begun), nats.restart()]);
      return milliseconds;
    },
  },
  {
    name: "NATS wiped",
    about: `SIGKILL of nats-server and its storage deleted, started again at once → ${WAITING_TASKS} tasks created before all completed`,
    run: async ({ nats }, client) => {
      const tasks = await client.createMany(Array.from({ length: WAITING_TASKS }, () => ({ type: NO_OP })));
      const begun = performance.now();
      await nats.restart({ wipe: true });
      await Promise.all(tasks.map(({ id }) => untilCompleted(client, id)));
      return performance.now() - begun;
    },
  },
];

async function completedAfter(client: TaskwireClient, begun: number): Promise<number> {
  const { id } = await client.create(NO_OP);
  await untilCompleted(client, id);
  return performance.now() - begun;
}

async function untilCompleted(client: TaskwireClient, id: string): Promise<void> {
  for await (const frame of client.watch(id)) {
    const state = frame.kind === "snapshot" ? frame.task.state : frame.event.state;
    if (state === TaskState.COMPLETED) return;
  }
}

async function loseWorker(stack: LocalStack, client: TaskwireClient, signal: "SIGKILL" | "SIGSTOP"): Promise<number> {
  const { id } = await client.create(HOLD);
  const holder = await workerOf(stack, client, id, 1);
  const begun = performance.now();
  await holder.kill(signal);
  const isBack = workerOf(stack, client, id, 2).then(() => performance.now() - begun);
  if (signal === "SIGKILL") await holder.start();
  const milliseconds = await isBack;
  await client.cancel(id);
  if (signal === "SIGSTOP") await holder.kill("SIGCONT");
  const workerId = holder.ready.workerId;
  while (!(await client.workers()).some((worker) => worker.id === workerId)) await delay(HEARD_POLL_MS);
  return milliseconds;
}

/** The worker that holds a certain attempt of a task, once it has started. */
async function workerOf(stack: LocalStack, client: TaskwireClient, id: string, attempt: number): Promise<ChildService> {
  for await (const frame of client.watch(id, { afterSequence: 0 })) {
    if (frame.kind !== "event" || frame.event.attempt < attempt || frame.event.kind?.$case !== "started") continue;
    const { workerId } = frame.event.kind.value;
    const worker = stack.workers.find(({ ready }) => ready.workerId === workerId);
    if (worker !== undefined) return worker;
  }
  throw new Error(`attempt ${attempt} of task ${id} was not started by a worker of this stack`);
}
