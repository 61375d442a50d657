import { join } from "node:path";
import Sqlite from "better-sqlite3";
import { expect } from "chai";
import { fixturePath } from "#test/fixtures/tasks/fixture-path.js";
import { endOf, eventOf } from "#test/support/follow-task.js";
import { Gate } from "#test/support/gate.js";
import { scrape, type Scrape } from "#test/support/scrape.js";
import { startTestStack, type TestStack } from "#test/support/test-stack.js";
import { until } from "#test/support/until.js";

describe("Every outcome is counted (metrics)", function () {
  this.timeout(90_000);
  let test: TestStack;

  before(async () => {
    test = await startTestStack({
      workerArgs: ["--tasks", fixturePath("flow-tasks.js"), "--tasks", fixturePath("process-tasks.js")],
      serviceEnv: { TASKWIRE_LEASE_MS: "1500" },
      workerEnv: { TASKWIRE_HEARTBEAT_MS: "250", TASKWIRE_CANCEL_GRACE_MS: "300", TASKWIRE_HTTP_PORT: "0" },
    });
  });
  after(() => test?.stop());

  const read = () => scrape(test.stack.httpUrl);
  /** By how much each series of a metric went up, by its code. */
  const codesOf = (before: Scrape, after: Scrape, metric: string): Record<string, number> => {
    const risen: Record<string, number> = {};
    for (const [series, value] of Object.entries(after.seriesOf(metric))) {
      const more = value - before.value(metric + series);
      if (more !== 0) risen[/code="(\w+)"/.exec(series)?.[1] ?? series] = more;
    }
    return risen;
  };

  /** Lets one task run to its end; returns by how much the ended attempts and failed tasks of each code went up. */
  async function counted(type: string, payload: object, options: object = {}): Promise<[object, object]> {
    const before = await read();
    const { id } = await test.client.create(type, { ...payload }, { maxAttempts: 1, ...options });
    await endOf(test.client, id);
    const after = await read();
    return [
      codesOf(before, after, "taskwire_attempts_ended_total"),
      codesOf(before, after, "taskwire_tasks_failed_total"),
    ];
  }

  it("counts what a handler does by itself", async () => {
    expect(await counted("process.echo", {})).to.deep.equal([{ COMPLETED: 1 }, {}]);
    const twice = { maxAttempts: 2, initialDelayMs: 0 };
    expect(await counted("process.throw", {}, twice)).to.deep.equal([{ HANDLER: 2 }, { HANDLER: 1 }]);
    expect(await counted("process.outcomes", { outcome: "permanent" })).to.deep.equal([{ HANDLER: 1 }, { HANDLER: 1 }]);
    expect(await counted("flow.later", {})).to.deep.equal([{ RETRY_LATER: 2, COMPLETED: 1 }, {}]);
    const rejected = [{ PAYLOAD_REJECTED: 1 }, { PAYLOAD_REJECTED: 1 }];
    expect(await counted("process.typed", { count: "none" })).to.deep.equal(rejected);
  });

  it("counts what is done to a handler", async () => {
    const hard = [{ HARD_TIMEOUT: 1 }, { HARD_TIMEOUT: 1 }];
    expect(await counted("process.spin", {}, { hardTimeoutMs: 400 })).to.deep.equal(hard);
    const soft = [{ SOFT_TIMEOUT: 1 }, { SOFT_TIMEOUT: 1 }];
    expect(await counted("process.sleep", { ms: 60_000 }, { softTimeoutMs: 200 })).to.deep.equal(soft);
    expect(await counted("process.crash", { code: 3 })).to.deep.equal([{ CRASHED: 1 }, { CRASHED: 1 }]);
    const memory = [{ OUT_OF_MEMORY: 1 }, { OUT_OF_MEMORY: 1 }];
    expect(await counted("process.eat-heap", {}, { memoryBytes: 64 * 1024 * 1024 })).to.deep.equal(memory);
  });

  it("counts a cancel of a running attempt, and none of an attempt that never began", async () => {
    const { client } = test;
    const before = await read();
    const gate = new Gate(test.dataDir, "cancelled");
    const running = await client.create("flow.gate", gate.payload);
    await eventOf(client, running.id, "started");
    await client.cancel(running.id);
    await endOf(client, running.id);
    const delayed = await client.create("flow.gate", gate.payload, { runTime: new Date(Date.now() + 3_600_000) });
    await client.cancel(delayed.id);
    const after = await read();
    expect(codesOf(before, after, "taskwire_attempts_ended_total")).to.deep.equal({ CANCELLED: 1 });
    const series = 'taskwire_tasks_finished_total{queue="default",state="cancelled"}';
    expect(after.value(series) - before.value(series)).to.equal(2);
  });

  it("counts a lost worker, its expired lease, and what it says when it is back", async () => {
    const { client, stack } = test;
    const before = await read();
    const gate = new Gate(test.dataDir, "lost");
    const { id } = await client.create("flow.gate", gate.payload);
    const { value } = await eventOf(client, id, "started");
    await stack.addWorker();
    const frozen = stack.workers.find(({ ready }) => ready.workerId === value.workerId);
    await frozen?.kill("SIGSTOP");
    await eventOf(client, id, "retryScheduled");
    gate.open(1);
    await frozen?.kill("SIGCONT");
    const stale = "taskwire_stale_reports_rejected_total";
    await until("the stale report is counted", async () => (await read()).value(stale) > before.value(stale), 20_000);
    gate.open();
    await endOf(client, id);
    const after = await read();
    expect(codesOf(before, after, "taskwire_attempts_ended_total")).to.deep.equal({ WORKER_LOST: 1, COMPLETED: 1 });
    expect(after.value("taskwire_leases_expired_total") - before.value("taskwire_leases_expired_total")).to.equal(1);
  });

  it("shows open tasks, watchers, workers, calls and commits as they are", async () => {
    const { client } = test;
    const before = await read();
    const gate = new Gate(test.dataDir, "open");
    const running = await client.create("flow.gate", gate.payload, { queue: "default" });
    await eventOf(client, running.id, "started");
    const delayed = await client.create("flow.gate", gate.payload, { runTime: new Date(Date.now() + 3_600_000) });
    const abort = new AbortController();
    const frames: string[] = [];
    const watch = (async () => {
      for await (const { kind } of client.watch(running.id, { signal: abort.signal })) frames.push(kind);
    })().catch(() => undefined);
    await until("the watcher is counted", async () => (await read()).value("taskwire_watchers") === 1);
    const after = await read();
    expect(after.seriesOf("taskwire_tasks_open")).to.deep.equal({
      '{queue="default",state="waiting"}': 1,
      '{queue="default",state="running"}': 1,
    });
    const created = 'taskwire_grpc_calls_total{method="taskwire.v1.TaskService/CreateTask",code="OK"}';
    expect(after.value(created) - before.value(created)).to.be.within(1, 2);
    const batched = 'taskwire_tasks_created_total{queue="default"}';
    expect(after.value(batched) - before.value(batched)).to.equal(2);
    expect(after.value("taskwire_workers")).to.equal(2);
    expect(after.value("taskwire_nats_connected")).to.equal(1);
    for (const counted of ["taskwire_database_group_commands", "taskwire_database_commit_duration_seconds"])
      expect(after.value(`${counted}_count`)).to.be.greaterThan(before.value(`${counted}_count`));
    abort.abort();
    await watch;
    await Promise.all([running, delayed].map(({ id }) => client.cancel(id)));
    await endOf(client, running.id);
    expect((await read()).seriesOf("taskwire_tasks_open")).to.deep.equal({});
  });

  it("lets a worker tell of its own attempts", async () => {
    const url = `http://127.0.0.1:${test.stack.workers[0]?.ready.httpPort}`;
    const own = await scrape(url);
    expect(own.value('taskwire_worker_attempts_ended_total{code="HARD_TIMEOUT"}')).to.equal(1);
    expect(own.value("taskwire_worker_slots")).to.be.greaterThan(0);
    expect((await fetch(`${url}/readyz`)).status).to.equal(200);
  });
});

describe("/readyz is true (metrics)", function () {
  this.timeout(60_000);
  let test: TestStack;

  before(async () => {
    test = await startTestStack({ workers: 0 });
  });
  after(() => test?.stop());

  const ready = async () => {
    const response = await fetch(`${test.stack.httpUrl}/readyz`);
    return { status: response.status, parts: (await response.json()) as Record<string, unknown> };
  };

  it("says 503 while the database takes no writes, and 200 again when it does", async () => {
    expect((await ready()).status).to.equal(200);
    const other = new Sqlite(join(test.dataDir, "taskwire.db"));
    other.exec("BEGIN IMMEDIATE");
    try {
      const refused = await until(
        "it is not ready",
        async () => {
          const now = await ready();
          return now.status === 503 && now;
        },
        20_000,
      );
      expect(refused.parts).to.include({ ready: false, database: "refuses writes", nats: "connected" });
      expect((await fetch(`${test.stack.httpUrl}/livez`)).status).to.equal(200);
    } finally {
      other.exec("ROLLBACK");
      other.close();
    }
    await until("it is ready again", async () => (await ready()).status === 200, 20_000);
  });

  it("stays ready for creates while NATS is away, and says so", async () => {
    await test.stack.nats.stop();
    const away = await until("NATS is away", async () => {
      const now = await ready();
      return now.parts["nats"] === "away" && now;
    });
    expect(away.status).to.equal(200);
    await test.client.create("flow.count", { to: 1 });
    expect((await scrape(test.stack.httpUrl)).value("taskwire_nats_connected")).to.equal(0);
  });
});
