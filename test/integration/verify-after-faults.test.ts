import { join } from "node:path";
import { expect } from "chai";
import { TaskState } from "#libs/client/taskwire-client.js";
import { fixturePath } from "#test/fixtures/tasks/fixture-path.js";
import { endOf, eventOf } from "#test/support/follow-task.js";
import { Gate } from "#test/support/gate.js";
import { runCli } from "#test/support/run-cli.js";
import { SteadyCreates } from "#test/support/steady-creates.js";
import { startTestStack, type TestStack } from "#test/support/test-stack.js";

describe("After faults the stored state is the state recomputed from events (taskwire verify)", function () {
  this.timeout(120_000);
  let test: TestStack;
  let database: string;

  before(async () => {
    test = await startTestStack({
      workers: 2,
      workerArgs: ["--tasks", fixturePath("flow-tasks.js"), "--tasks", fixturePath("process-tasks.js")],
      serviceEnv: { TASKWIRE_LEASE_MS: "1500" },
      workerEnv: { TASKWIRE_HEARTBEAT_MS: "250", TASKWIRE_CANCEL_GRACE_MS: "300" },
    });
    database = join(test.dataDir, "taskwire.db");
  });
  after(() => test?.stop());

  const verify = async () => {
    const { stdout, stderr, exitCode } = await runCli(["verify", "--database", database]);
    return { lines: `${stdout}${stderr}`.trim().split("\n"), exitCode };
  };

  it("holds for every kind of end, while the service runs, is killed, and after its workers were killed", async () => {
    const { client, stack } = test;
    const steady = new SteadyCreates(client, "system.health_check", 2);
    const gate = new Gate(test.dataDir, "verify");
    // What the steady creates leave behind must not stand in their way.
    const soon = { priority: 10 };
    const quick = { ...soon, initialDelayMs: 10, maximumDelayMs: 10 };
    const tasks = await Promise.all([
      client.create("process.throw", {}, quick),
      client.create("process.crash", { code: 3 }, quick),
      client.create("process.outcomes", { outcome: "partial" }, soon),
      client.create("process.outcomes", { outcome: "permanent" }, soon),
      client.create("flow.later", {}, soon),
      client.create("flow.stubborn", {}, soon),
      client.create("flow.count", { to: 5 }, soon),
      client.create("process.speak", {}, soon),
      client.create("process.spin", {}, { ...soon, hardTimeoutMs: 500, maxAttempts: 1 }),
      client.create("process.echo", { large: "x".repeat(40_000) }, soon),
    ]);
    const held = await client.create("flow.gate", gate.payload, soon);
    const deaf = await client.create("process.ignore-abort", { ms: 60_000 }, soon);
    await Promise.all([held, deaf].map(({ id }) => eventOf(client, id, "started")));
    await client.cancel(deaf.id);
    expect(await verify()).to.have.property("exitCode", 0);

    await steady.more(20);
    await stack.service.kill();
    expect((await verify()).lines).to.have.lengthOf(1);
    await stack.service.start();
    const [worker] = stack.workers;
    await worker?.kill();
    await worker?.start();
    await steady.stop();
    gate.open();
    const ends = await Promise.all([...tasks, held, deaf].map(({ id }) => endOf(client, id, 60_000)));
    expect(new Set(ends.map(({ state }) => state))).to.deep.equal(
      new Set([TaskState.COMPLETED, TaskState.FAILED, TaskState.CANCELLED]),
    );
    const { id } = await client.retry(tasks[3].id);
    await endOf(client, id);

    const { lines, exitCode } = await verify();
    expect(lines).to.have.lengthOf(1);
    expect(lines[0]).to.match(/: \d+ tasks, \d+ events, \d+ stored attempts: sound$/);
    expect(exitCode).to.equal(0);
  });

  it("says what it finds as JSON, and says so when there is nothing to read", async () => {
    const { stdout, exitCode } = await runCli(["verify", "--json", "--quick"], {
      env: { TASKWIRE_DATABASE: database },
    });
    expect(exitCode).to.equal(0);
    expect(JSON.parse(stdout)).to.include({ kind: "totals", findings: 0, sealedEvents: 0 });
    const missing = await runCli(["verify", "--database", join(test.dataDir, "no.db")]);
    expect(missing.exitCode).to.equal(2);
    expect(missing.stderr).to.include("no.db");
  });
});
