import { expect } from "chai";
import { TaskState, type Task } from "#libs/client/taskwire-client.js";
import { damagePages, damageTree } from "#test/faults/damage-page.js";
import { describeWithFaults } from "#test/faults/describe-with-faults.js";
import { startFaultyStack, type FaultyStack } from "#test/faults/faulty-stack.js";
import { endOf, eventOf } from "#test/support/follow-task.js";
import { Gate } from "#test/support/gate.js";
import { logLines } from "#test/support/log-lines.js";
import { rejectionOf } from "#test/support/rejection-of.js";
import { testsAtOnce } from "#test/support/tests-at-once.js";
import { until } from "#test/support/until.js";

/** So large that hardly two tasks share a page. */
const FILLER = "x".repeat(2500);
const MARKER = "the-task-on-the-damaged-page";
const TASKS = 60;
const RUNNING_MARKER = "the-running-task-on-the-damaged-page";
const NOBODYS = "nobody.runs-this";

describeWithFaults("When a page of the database is damaged", function () {
  this.timeout(180_000);

  interface Scene {
    readonly test: FaultyStack;
    /** The task on the page that is damaged. */
    readonly hit: Task;
    readonly others: readonly Task[];
  }

  /** Runs `body` with a stack whose database has many pages. */
  async function withScene(body: (scene: Scene) => Promise<void>): Promise<void> {
    const test = await startFaultyStack();
    try {
      const before = await fill(test, TASKS);
      const hit = await test.client.create(NOBODYS, { MARKER, FILLER });
      await body({ test, hit, others: [...before, ...(await fill(test, TASKS))] });
    } finally {
      await test.stop();
    }
  }

  const fill = ({ client }: FaultyStack, count: number) =>
    client.createMany(Array.from({ length: count }, () => ({ type: NOBODYS, payload: { FILLER } })));

  const expectCorrupt = async (call: Promise<unknown>) => {
    const error = await rejectionOf(call);
    expect(error).to.include({ code: "UNAVAILABLE", reason: "DATABASE_CORRUPT" });
    expect(error.message).to.contain("taskwire verify");
  };

  /** What needs the page fails clearly, everything else works, and nothing is silently wrong. */
  async function expectOnlyThePageIsMissed({ test, hit, others }: Scene): Promise<void> {
    const { client, impatient } = test;
    await expectCorrupt(impatient.get(hit.id));
    await expectCorrupt(impatient.listPage({ types: [NOBODYS], pageSize: 1000, full: true }));
    const [, created] = await Promise.all([
      expectCorrupt(impatient.cancel(hit.id)),
      impatient.create("inline.echo", { text: "meanwhile" }),
      expectCorrupt(impatient.cancel(hit.id)),
    ]);
    expect(created.state).to.equal(TaskState.PENDING);
    for (const task of [others[0], others.at(-1)]) {
      expect(await impatient.get(task?.id ?? "")).to.deep.include({ state: TaskState.PENDING, payload: { FILLER } });
    }
    expect(await client.run("inline.echo", { text: "still" })).to.deep.equal({ text: "still" });
    await test.untilServing(true);
    expect(await test.findings()).to.not.equal("");
  }

  testsAtOnce(2, [
    [
      "while the service is stopped: it starts, and only what needs the page fails",
      () =>
        withScene(async (scene) => {
          const { test, hit } = scene;
          await test.stack.service.stop();
          const { repair } = damagePages(test.database, MARKER);
          await test.stack.service.start();
          await expectOnlyThePageIsMissed(scene);
          repair();
          expect((await test.client.get(hit.id)).payload).to.deep.include({ MARKER });
        }),
    ],

    [
      "while the service runs: only what needs the page fails, and repairing it needs no restart",
      () =>
        withScene(async (scene) => {
          const { test, hit } = scene;
          await test.stack.service.restart();
          const { repair } = damagePages(test.database, MARKER);
          await expectOnlyThePageIsMissed(scene);
          repair();
          expect((await test.client.get(hit.id)).payload).to.deep.include({ MARKER });
          expect((await test.client.cancel(hit.id)).state).to.equal(TaskState.CANCELLED);
          expect(await test.findings()).to.equal("");
        }),
    ],

    [
      "while a task on it runs: its reports do not hold up those of others",
      () =>
        withScene(async ({ test }) => {
          const { client, stack, database, dataDir } = test;
          const gate = new Gate(dataDir, "damaged");
          const running = await client.create("flow.gate", { ...gate.payload, RUNNING_MARKER, FILLER });
          await eventOf(client, running.id, "started");
          await fill(test, TASKS);
          // What was written last is only in the log of changes until the service stops.
          await stack.service.restart();
          const { repair } = damagePages(database, RUNNING_MARKER);
          gate.open();
          expect(await client.run("inline.echo", { text: "beside it" })).to.deep.equal({ text: "beside it" });
          await expectCorrupt(test.impatient.get(running.id));
          repair();
          expect((await endOf(client, running.id)).state).to.equal(TaskState.COMPLETED);
          expect(await test.findings()).to.equal("");
        }),
    ],

    [
      "that the reports of all tasks need: none of them is lost, and repairing it needs no restart",
      () =>
        withScene(async ({ test }) => {
          const { client, stack, database, dataDir } = test;
          const gate = new Gate(dataDir, "shared");
          const running = await Promise.all([1, 2].map(() => client.create("flow.gate", gate.payload)));
          for (const { id } of running) await eventOf(client, id, "started");
          await stack.service.restart();
          const { repair } = damageTree(database, "tasks_update_time");
          gate.open();
          const said = () => logLines(dataDir, "task-service").filter(({ msg }) => msg?.startsWith("reports "));
          await until("the reports are tried again and again", () => said().length > 0);
          await expectCorrupt(test.impatient.create(NOBODYS));
          repair();
          for (const { id } of running)
            expect(await endOf(client, id)).to.include({ state: TaskState.COMPLETED, attempt: 1 });
          expect(said().map(({ msg }) => msg)).to.not.include(
            "reports of tasks on a damaged page of the database are dropped",
          );
          expect(await test.findings()).to.equal("");
        }),
    ],

    [
      "that holds the schema: the service does not start, and says what to do",
      () =>
        withScene(async ({ test, hit }) => {
          await test.stack.service.stop();
          const { repair } = damagePages(test.database, "SQLite format 3");
          const error = await rejectionOf(test.stack.service.start());
          expect(error.message).to.contain(test.database).and.to.contain("damaged").and.to.contain("taskwire verify");
          repair();
          await test.stack.service.start();
          expect((await test.client.get(hit.id)).payload).to.deep.include({ MARKER });
        }),
    ],
  ]);
});
