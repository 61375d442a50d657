import { join } from "node:path";
import { expect } from "chai";
import { listProcesses } from "#test/support/child-processes.js";
import { freshDirectory } from "#test/support/fresh-directory.js";
import { runCli, startCli, type RunningCli } from "#test/support/run-cli.js";
import { until } from "#test/support/until.js";

describe("The service commands of taskwire", function () {
  this.timeout(60_000);
  const directory = freshDirectory();
  after(() => {
    directory.remove();
  });

  const isUp = (dev: RunningCli) => until("dev is up", () => dev.stdout().includes("Taskwire is running"), 30_000);
  const processesOf = async (dataDir: string, parent: number) =>
    (await listProcesses()).filter((entry) => entry.parentPid === parent || entry.command.includes(dataDir));

  it("serve and work report every problem of the configuration at once and exit with 78", async () => {
    const serve = await runCli(["serve", "--log-level", "loud"], { env: { TASKWIRE_GRPC_PORT: "70000" } });
    expect(serve.exitCode).to.equal(78);
    expect(serve.stderr)
      .to.include("2 problems")
      .and.include('TASKWIRE_GRPC_PORT="70000"')
      .and.include('--log-level="loud"');
    const work = await runCli(["work", "--slots", "none"]);
    expect(work.exitCode).to.equal(78);
    expect(work.stderr).to.include('--slots="none" is not allowed');
  });

  it("dev says what is wrong with the configuration of its services, shows no key, and exits with 78 as they do", async () => {
    const env = { NODE_ENV: "production", ENCRYPTION_KEY: "0badc0ffee", TASKWIRE_LOG_LEVEL: "loud" };
    const dev = await runCli(["dev", "--data", join(directory.path, "misconfigured")], { env });
    expect(dev.exitCode).to.equal(78);
    expect(dev.stderr).to.include("2 problems").and.include("ENCRYPTION_KEY=***").and.include('="loud" is not allowed');
    expect(dev.stderr + dev.stdout).not.to.include("0badc0ffee");
  });

  it("work says which task module is broken", async () => {
    const { exitCode, stderr } = await runCli(["work", "--tasks", "./no-such-module.js"]);
    expect(exitCode).to.equal(1);
    expect(stderr).to.include("no-such-module.js");
  });

  it("dev runs tasks, and Ctrl-C stops everything in order", async () => {
    const data = join(directory.path, "ctrl-c");
    const dev = startCli(["dev", "--data", data]);
    await isUp(dev);
    const address = /gRPC +(\S+)/.exec(dev.stdout())?.[1] ?? "";
    expect((await runCli(["run", "system.health_check", "--address", address])).exitCode).to.equal(0);
    dev.process.kill("SIGINT");
    const { exitCode, stdout } = await dev.result;
    expect(exitCode).to.equal(0);
    expect(stdout).to.include("Stopped.");
    expect(await processesOf(data, dev.pid)).to.deep.equal([]);
  });

  it("dev takes free ports where the usual ones are taken, and refuses a data directory that is in use", async () => {
    const first = startCli(["dev", "--data", join(directory.path, "first")]);
    await isUp(first);
    const second = startCli(["dev", "--data", join(directory.path, "second")]);
    await isUp(second);
    const addressOf = (dev: RunningCli) => /gRPC +(\S+)/.exec(dev.stdout())?.[1];
    expect(addressOf(first)).not.to.equal(addressOf(second));
    const third = await runCli(["dev", "--data", join(directory.path, "first")]);
    expect(third.exitCode).to.equal(1);
    expect(third.stderr).to.include(`is in use by process ${first.pid}`);
    for (const dev of [first, second]) dev.process.kill("SIGTERM");
    expect([(await first.result).exitCode, (await second.result).exitCode]).to.deep.equal([0, 0]);
  });

  it("dev leaves nothing behind when it is killed", async () => {
    const data = join(directory.path, "killed");
    const dev = startCli(["dev", "--data", data]);
    await isUp(dev);
    const pids = (await processesOf(data, dev.pid)).map((entry) => entry.pid);
    expect(pids).to.have.length.of.at.least(4);
    dev.process.kill("SIGKILL");
    await dev.result;
    await until(
      "all its processes are gone",
      async () => !(await listProcesses()).some((entry) => pids.includes(entry.pid)),
      15_000,
    );
  });

  it("dev starts a worker again that was killed", async () => {
    const dev = startCli(["dev", "--data", join(directory.path, "revived")]);
    await isUp(dev);
    const address = /gRPC +(\S+)/.exec(dev.stdout())?.[1] ?? "";
    const workers = async () =>
      (await runCli(["workers", "--json", "--address", address])).stdout
        .trim()
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => JSON.parse(line) as { id: string; pid: number });
    const [before] = await workers();
    process.kill(before?.pid ?? 0, "SIGKILL");
    await until(
      "another worker is there",
      async () => (await workers()).some((worker) => worker.id !== before?.id),
      20_000,
    );
    dev.process.kill("SIGTERM");
    expect((await dev.result).exitCode).to.equal(0);
  });
});
