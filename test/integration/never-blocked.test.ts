import { fork } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { TaskState, type Task, type TaskwireClient } from "#libs/client/taskwire-client.js";
import { fixturePath } from "#test/fixtures/tasks/fixture-path.js";
import { endOf, eventOf, historyOf, valuesOf } from "#test/support/follow-task.js";
import { Gate } from "#test/support/gate.js";
import type { HeldLoop } from "#test/support/loop-hold.js";
import { startTestStack, type TestStack } from "#test/support/test-stack.js";

const CREATE_LIMIT_MS = 1000;
const GET_LIMIT_MS = 100;
/** As in `measured-worker`. */
const LOOP_LIMIT_MS = 10;
const LOOP_ROUNDS = 15;
const COMPLETIONS = 200;

describe("Never blocked", function () {
  this.timeout(60_000);

  describe("while handlers spin the CPU on every core", () => {
    let test: TestStack;
    let spinning: Task[];

    before(async () => {
      test = await startTestStack({
        workerArgs: ["--tasks", fixturePath("process-tasks.js")],
        workerEnv: { TASKWIRE_SLOTS: "3", TASKWIRE_CANCEL_GRACE_MS: "100" },
      });
      const { client } = test;
      spinning = await Promise.all([1, 2, 3].map(() => client.create("process.spin", {}, { maxAttempts: 1 })));
      await Promise.all(spinning.map(({ id }) => eventOf(client, id, "progress")));
    });
    after(() => test?.stop());

    it("three tasks at once are all RUNNING", async () => {
      const states = await Promise.all(spinning.map(async ({ id }) => (await test.client.get(id)).state));
      expect(states).to.deep.equal([TaskState.RUNNING, TaskState.RUNNING, TaskState.RUNNING]);
    });

    it("answers a create within 1 s while handlers spin the CPU", async () => {
      for (let round = 0; round < 10; round += 1) {
        const { result, tookMs } = await timed(() => test.client.create("process.echo", { round }));
        expect(result.state).to.equal(TaskState.PENDING);
        expect(tookMs).to.be.below(CREATE_LIMIT_MS);
      }
    });

    it("GetTask ten times in a row stays under 100 ms each while handlers spin", async () => {
      const id = spinning[0]?.id ?? "";
      for (let round = 0; round < 10; round += 1) {
        const { result, tookMs } = await timed(() => test.client.get(id));
        expect(result.state).to.equal(TaskState.RUNNING);
        expect(tookMs).to.be.below(GET_LIMIT_MS);
      }
    });

    it("reaches spinning handlers with a cancel, and runs what waited behind them", async () => {
      const { client } = test;
      await Promise.all(spinning.map(({ id }) => client.cancel(id)));
      for (const { id } of spinning) expect((await endOf(client, id)).state).to.equal(TaskState.CANCELLED);
      const waited = await client.listPage({ types: ["process.echo"] });
      expect(waited.tasks).to.have.lengthOf(10);
      for (const { id } of waited.tasks) {
        expect(valuesOf(await historyOf(client, id), "completed"), id).to.have.lengthOf(1);
      }
    });
  });

  describe("while an inline handler blocks its whole worker for longer than the lease", () => {
    const leaseMs = 2000;
    let test: TestStack;

    before(async () => {
      test = await startTestStack({
        workerArgs: ["--tasks", fixturePath("flow-tasks.js")],
        workerEnv: { TASKWIRE_HEARTBEAT_MS: "200" },
        serviceEnv: { TASKWIRE_LEASE_MS: String(leaseMs) },
      });
    });
    after(() => test?.stop());

    const blockings = [
      // Its report that it started waits until it ends.
      { when: "from its first millisecond", afterMs: 0 },
      // Younger than what heartbeats name.
      { when: "in its first second", afterMs: 300 },
      { when: "after its first second", afterMs: 1500 },
    ];
    for (const { when, afterMs } of blockings) {
      it(`${when}, it keeps its lease, and so does what runs beside it`, async () => {
        const { client } = test;
        const gate = new Gate(test.dataDir, `beside-${afterMs}`);
        const beside = await client.create("flow.gate", gate.payload);
        await eventOf(client, beside.id, "started");
        const { id } = await client.create("flow.block", { ms: leaseMs * 2, afterMs });
        const events = await historyOf(client, id);
        gate.open();
        for (const history of [events, await historyOf(client, beside.id)]) {
          expect(valuesOf(history, "retryScheduled")).to.deep.equal([]);
          expect(valuesOf(history, "completed")[0]?.result).to.deep.equal({ attempt: 1 });
        }
      });
    }
  });

  it("a completed handler's follow-up never delays the event loop by more than 10 ms", async () => {
    const test = await startTestStack({ workers: 0 });
    const log = openSync(join(test.dataDir, "logs", "measured-worker.log"), "a");
    const worker = fork(fileURLToPath(new URL("../fixtures/measured-worker.js", import.meta.url)), {
      env: { TASKWIRE_NATS_URL: test.stack.natsUrl, TASKWIRE_TASKS: fixturePath("process-tasks.js") },
      stdio: ["ignore", log, log, "ipc"],
    });
    closeSync(log);
    const ask = async (what: string): Promise<unknown> => {
      const answer = once(worker, "message");
      worker.send(what);
      const [message] = (await answer) as unknown[];
      return message;
    };
    try {
      await once(worker, "message");
      const rounds: HeldLoop[] = [];
      // Whatever else shows in a round, a follow-up that blocks shows in every one: two tasks at a time may share a turn.
      const isFree = ({ longestComputedMs, longTurns }: HeldLoop) =>
        longestComputedMs < LOOP_LIMIT_MS && longTurns < COMPLETIONS / 4;
      while (rounds.length < LOOP_ROUNDS && !rounds.some(isFree)) {
        await ask("begin");
        await Promise.all([runInRow(test.client, COMPLETIONS / 2), runInRow(test.client, COMPLETIONS / 2)]);
        rounds.push((await ask("end")) as HeldLoop);
      }
      expect(rounds.some(isFree), `the rounds: ${JSON.stringify(rounds)}`).to.equal(true);
    } finally {
      if (worker.exitCode === null) {
        const exited = once(worker, "exit");
        worker.send("stop");
        await exited;
      }
      await test.stop();
    }
  }).timeout(180_000);
});

async function timed<T>(call: () => Promise<T>): Promise<{ readonly result: T; readonly tookMs: number }> {
  const startedMs = performance.now();
  const result = await call();
  return { result, tookMs: performance.now() - startedMs };
}

/** Runs quick tasks, one after the other. */
async function runInRow(client: TaskwireClient, count: number): Promise<void> {
  for (let number = 0; number < count; number += 1) await client.run("process.echo", { number });
}
