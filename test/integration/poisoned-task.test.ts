import { expect } from "chai";
import { AttemptOutcome, TaskState, type Task } from "#libs/client/taskwire-client.js";
import { fixturePath } from "#test/fixtures/tasks/fixture-path.js";
import { endOf } from "#test/support/follow-task.js";
import { Gate } from "#test/support/gate.js";
import { startTestStack, type TestStack } from "#test/support/test-stack.js";
import { until } from "#test/support/until.js";

const POISON_LOSSES = 3;
const HEALTHY = 4;
const WAIT_MS = 30_000;

describe("A task that kills its worker ends FAILED and takes no healthy task with it (Accounted attempts)", function () {
  this.timeout(120_000);
  let test: TestStack;
  /** The poisoned task and the healthy ones beside it, each with the gate that it waits for. */
  let poison: Task;
  const gates = new Map<string, Gate>();

  before(async () => {
    test = await startTestStack({
      workerArgs: ["retry-tasks.js", "flow-tasks.js"].flatMap((file) => ["--tasks", fixturePath(file)]),
      workerEnv: { TASKWIRE_HEARTBEAT_MS: "200", TASKWIRE_SLOTS: String(HEALTHY + 2) },
      serviceEnv: {
        TASKWIRE_LEASE_MS: "1000",
        TASKWIRE_REDISPATCH_MS: "1000",
        TASKWIRE_POISON_LOSSES: String(POISON_LOSSES),
      },
    });
    poison = await createHeld("retry.poison", 50);
    // A healthy task may lose all attempts but its last one to others.
    for (let count = 0; count < HEALTHY; count += 1) await createHeld("flow.gate", POISON_LOSSES);
  });
  after(() => test?.stop());

  async function createHeld(type: string, maxAttempts: number): Promise<Task> {
    const gate = new Gate(test.dataDir, `gate-${gates.size}`);
    const task = await test.client.create(type, gate.payload, { maxAttempts });
    gates.set(task.id, gate);
    return task;
  }

  async function heldNow(): Promise<Task[]> {
    const tasks: Task[] = [];
    for await (const task of test.client.list({ ids: [...gates.keys()] })) tasks.push(task);
    return tasks;
  }

  const isRunning = (task: Task) => task.state === TaskState.RUNNING;

  async function outcomesOf(id: string): Promise<string[]> {
    const outcomes: string[] = [];
    for await (const { outcome, error } of test.client.attempts(id))
      outcomes.push(`${AttemptOutcome[outcome]} ${error?.code ?? ""}`.trim());
    return outcomes;
  }

  /** Lets the poisoned task kill the worker, and starts the worker again. */
  async function strike(attempt: number): Promise<void> {
    const [worker] = test.stack.workers;
    const died = new Promise<void>((resolve) => {
      worker?.onUnexpectedExit(() => resolve());
    });
    gates.get(poison.id)?.open(attempt);
    await died;
    await worker?.start();
  }

  for (let attempt = 1; attempt < POISON_LOSSES; attempt += 1) {
    it(`runs with the others before its loss ${attempt}, for nothing is known of it`, async () => {
      await until(
        `all run their attempt ${attempt}`,
        async () => (await heldNow()).every((task) => isRunning(task) && task.attempt === attempt),
        WAIT_MS,
      );
      await strike(attempt);
    });
  }

  it("runs apart from the others after that, one suspect at a time, until it ends FAILED and they COMPLETED", async () => {
    // The leases of one death may end in different rounds.
    await until(
      "all have lost their worker",
      async () => (await heldNow()).every((task) => !isRunning(task) || task.attempt === POISON_LOSSES),
      WAIT_MS,
    );
    const seen = new Set<string>();
    while (seen.size < gates.size) {
      const running = await until(
        "the next suspect runs",
        async () => {
          const isNext = (task: Task) => isRunning(task) && task.attempt === POISON_LOSSES && !seen.has(task.id);
          const tasks = (await heldNow()).filter(isNext);
          return tasks.length > 0 && tasks;
        },
        WAIT_MS,
      );
      expect(running, "suspects that run beside each other").to.have.lengthOf(1);
      const id = running[0]?.id ?? "";
      seen.add(id);
      expect(await test.client.run("flow.count", { to: 1 }), "who is no suspect is not held up").to.deep.equal({
        counted: 1,
      });
      expect((await heldNow()).filter(isRunning).map((task) => task.id)).to.deep.equal([id]);
      if (id === poison.id) await strike(POISON_LOSSES);
      else gates.get(id)?.open();
      await endOf(test.client, id, WAIT_MS);
    }
    for (const task of await heldNow()) {
      const isPoison = task.id === poison.id;
      expect(task).to.include({ state: isPoison ? TaskState.FAILED : TaskState.COMPLETED, attempt: POISON_LOSSES });
      expect(await outcomesOf(task.id)).to.deep.equal([
        ...Array.from({ length: POISON_LOSSES - 1 }, () => "LOST WORKER_LOST"),
        isPoison ? "LOST WORKER_LOST" : "SUCCEEDED",
      ]);
    }
    const { error } = await test.client.get(poison.id);
    expect(error).to.include({ code: "POISONED", retryable: false });
  });

  it("has a clean record when it is opened again", async () => {
    expect(await test.client.retry(poison.id)).to.include({ attempt: POISON_LOSSES });
    const attempt = POISON_LOSSES + 1;
    await until("it runs again", async () => (await test.client.get(poison.id)).attempt === attempt, WAIT_MS);
    await strike(attempt);
    await until(
      "it is tried again after a loss",
      async () => (await test.client.get(poison.id)).attempt > attempt,
      WAIT_MS,
    );
    await test.client.cancel(poison.id);
    expect(await endOf(test.client, poison.id)).to.include({ state: TaskState.CANCELLED });
  });
});
