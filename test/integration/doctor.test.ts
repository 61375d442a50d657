import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo, type Socket } from "node:net";
import { join } from "node:path";
import { connect } from "nats";
import { expect } from "chai";
import { environment } from "#libs/config/environment.js";
import { findNatsServer } from "#libs/nats-server/find-nats-server.js";
import { freePort } from "#libs/nats-server/free-port.js";
import type { CheckResult } from "#cli/doctor/check.js";
import { runCli } from "#test/support/run-cli.js";
import { startTestStack, type TestStack } from "#test/support/test-stack.js";
import { until } from "#test/support/until.js";

const NOBODY = 65_534;

describe("taskwire doctor names what is wrong and what to do", function () {
  this.timeout(60_000);
  let test: TestStack;

  before(async () => {
    test = await startTestStack({ workers: 2 });
  });
  after(() => test?.stop());

  async function examine(changed: Record<string, string> = {}, uid?: number) {
    const env = {
      TASKWIRE_ADDRESS: test.address,
      TASKWIRE_NATS_URL: test.stack.natsUrl,
      TASKWIRE_DATABASE: join(test.dataDir, "taskwire.db"),
      ...changed,
    };
    const { stdout, stderr, exitCode } = await runCli(["doctor", "--json", "--timeout", "2s"], {
      env,
      ...(uid === undefined ? {} : { uid }),
    });
    expect(stderr).to.equal("");
    const results = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as CheckResult);
    const named = (status: CheckResult["status"]) =>
      results.filter((result) => result.status === status).map(({ name }) => name);
    for (const { status, advice } of results) expect(advice !== "").to.equal(status === "wrong");
    return { results, exitCode, wrong: named("wrong"), unknown: named("unknown"), well: named("well") };
  }

  it("is content when all is well", async () => {
    const { exitCode, wrong, unknown, well } = await examine();
    expect({ exitCode, wrong, unknown }).to.deep.equal({ exitCode: 0, wrong: [], unknown: [] });
    const workers = test.stack.workers.map(({ ready }) => `worker ${ready.workerId}`);
    const ids = workers.flatMap((worker) => [worker, `clock of ${worker}`]);
    expect(well).to.include.members([
      ...ids,
      "settings",
      "clock",
      "task-service",
      "NATS",
      "JetStream",
      "database schema",
    ]);
    const { stdout } = await runCli(["doctor", "--address", test.address, "--nats-url", test.stack.natsUrl], {
      env: { TASKWIRE_DATABASE: join(test.dataDir, "taskwire.db") },
    });
    expect(stdout).to.include("✔ task-service: ").and.not.include("✘");
  });

  it("names settings that are wrong or misspelt, and goes on with the others", async () => {
    const { exitCode, results, wrong } = await examine({ TASKWIRE_SLOTS: "many", TASKWIRE_LEAS_MS: "1000" });
    expect(exitCode).to.equal(1);
    expect(wrong).to.deep.equal(["setting", "setting"]);
    expect(results.map(({ advice }) => advice)).to.include("did you mean TASKWIRE_LEASE_MS?");
  });

  it("tells a frozen worker from one that answers", async () => {
    const [frozen] = test.stack.workers;
    await frozen?.kill("SIGSTOP");
    try {
      const { exitCode, wrong } = await examine();
      expect(exitCode).to.equal(1);
      expect(wrong).to.deep.equal([`worker ${frozen?.ready.workerId}`]);
    } finally {
      await frozen?.kill("SIGCONT");
    }
  });

  it("names a database that is missing, none of Taskwire's, or cannot be written", async () => {
    const missing = await examine({ TASKWIRE_DATABASE: join(test.dataDir, "none.db") });
    expect([missing.exitCode, missing.wrong]).to.deep.equal([1, ["database"]]);
    const other = join(test.dataDir, "other.db");
    writeFileSync(other, "no database at all, but long enough to be read as one: ".repeat(100));
    expect((await examine({ TASKWIRE_DATABASE: other })).wrong).to.deep.equal(["database check"]);
    // Root may write everything, so it looks as somebody else.
    const uid = process.getuid?.() === 0 ? NOBODY : undefined;
    chmodSync(test.dataDir, 0o555);
    chmodSync(join(test.dataDir, "taskwire.db"), 0o444);
    try {
      expect((await examine({}, uid)).wrong).to.include("database access");
    } finally {
      chmodSync(test.dataDir, 0o755);
      chmodSync(join(test.dataDir, "taskwire.db"), 0o644);
    }
  });

  it("names a NATS without JetStream and with too small messages", async () => {
    const port = await freePort();
    const config = join(test.dataDir, "small.conf");
    writeFileSync(config, `listen: 127.0.0.1:${port}\nmax_payload: 262144\n`);
    const { TASKWIRE_NATS_SERVER: named, PATH: path } = environment();
    const server = spawn(await findNatsServer({ named, path }), ["--config", config], { stdio: "ignore" });
    try {
      const url = `nats://127.0.0.1:${port}`;
      await until("it answers", () =>
        connect({ servers: url }).then(
          (nats) => nats.close().then(() => true),
          () => false,
        ),
      );
      expect((await examine({ TASKWIRE_NATS_URL: url })).wrong).to.deep.equal(["NATS max_payload", "JetStream"]);
    } finally {
      const ended = once(server, "exit");
      server.kill();
      await ended;
    }
  });

  it("ends although NATS accepts connections and says nothing", async () => {
    const mute = createServer((socket) => sockets.add(socket));
    const sockets = new Set<Socket>();
    mute.listen(0, "127.0.0.1");
    await once(mute, "listening");
    try {
      const { port } = mute.address() as AddressInfo;
      const { exitCode, wrong } = await examine({ TASKWIRE_NATS_URL: `nats://127.0.0.1:${port}` });
      expect([exitCode, wrong]).to.deep.equal([1, ["NATS"]]);
    } finally {
      for (const socket of sockets) socket.destroy();
      mute.close();
    }
  });

  it("says what it cannot find out while NATS is down", async () => {
    await test.stack.nats.kill();
    try {
      const { exitCode, wrong, unknown, well } = await until("the service has noticed", async () => {
        const now = await examine();
        return now.wrong.includes("taskwire.v1.WorkerService") && now;
      });
      expect(exitCode).to.equal(1);
      expect(wrong).to.deep.equal(["taskwire.v1.WorkerService", "NATS"]);
      expect(unknown).to.include("JetStream");
      expect(well).to.include.members(["task-service", "taskwire.v1.TaskService", "database"]);
    } finally {
      await test.stack.nats.restart();
    }
    await until("all is well again", async () => (await examine()).exitCode === 0, 20_000);
  });

  it("says what it cannot find out while the service is down, and finds what was altered in JetStream meanwhile", async () => {
    await Promise.all(test.stack.workers.map((worker) => worker.stop()));
    await test.stack.service.stop();
    const down = await examine();
    expect([down.exitCode, down.wrong]).to.deep.equal([1, ["task-service"]]);
    expect(down.unknown).to.deep.equal(["clock", "workers"]);
    const nats = await connect({ servers: test.stack.natsUrl });
    const manager = await nats.jetstreamManager();
    await manager.consumers.delete("taskwire-reports", "ingest");
    await manager.streams.update("taskwire-work", { max_age: 60_000_000_000 });
    await nats.close();
    const altered = await examine();
    expect(altered.wrong).to.deep.equal(["task-service", "JetStream", "JetStream"]);
    expect(altered.results.map(({ found }) => found).join("\n"))
      .to.include("consumer ingest of taskwire-reports is not there")
      .and.include("stream taskwire-work: messages expire");
  });
});
