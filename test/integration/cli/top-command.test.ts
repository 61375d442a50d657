import { expect } from "chai";
import type { Load } from "#cli/top/load-meter.js";
import { fixturePath } from "#test/fixtures/tasks/fixture-path.js";
import { Gate } from "#test/support/gate.js";
import { runCli, startCli, type CliResult, type RunningCli } from "#test/support/run-cli.js";
import { startTestStack, type TestStack } from "#test/support/test-stack.js";
import { until } from "#test/support/until.js";

interface View {
  readonly revision: number;
  readonly isCounted: boolean;
  readonly queues: readonly (Load & { readonly queue: string })[];
  readonly totals: Load;
  readonly workers: readonly Record<string, unknown>[];
}

describe("taskwire top", function () {
  this.timeout(60_000);
  let stack: TestStack;

  before(async () => {
    stack = await startTestStack({ workerArgs: ["--tasks", fixturePath("flow-tasks.js"), "--slots", "4"] });
  });
  after(async () => {
    await stack?.stop();
  });

  const env = () => ({ env: { TASKWIRE_ADDRESS: stack.address } });
  const taskwire = (args: readonly string[]): Promise<CliResult> => runCli(args, env());
  const viewsIn = (text: string) =>
    text
      .split("\n")
      .slice(0, -1)
      .map((line) => JSON.parse(line) as View);
  const latest = (top: RunningCli) => viewsIn(top.stdout()).at(-1);

  it("--json --count 2 tells twice what waits and runs, and who works", async () => {
    const labels = { test: "counted" };
    const gate = new Gate(stack.dataDir, "counted");
    const { id } = await stack.client.create("flow.gate", gate.payload, { labels });
    await stack.client.createMany(Array.from({ length: 5 }, () => ({ type: "nobody.home", queue: "quiet", labels })));
    await until("it runs", async () => (await stack.client.get(id)).progress !== undefined);
    const filter = ["--filter", "labels.test = counted"];
    const result = await taskwire(["top", "--json", "--count", "2", "--interval", "0.2", ...filter]);
    expect(result).to.include({ stderr: "", exitCode: 0 });
    const views = viewsIn(result.stdout);
    expect(views).to.have.length(2);
    for (const { queues, totals, isCounted } of views) {
      expect(isCounted).to.equal(true);
      expect(queues.map(({ queue, pending, running }) => [queue, pending, running])).to.deep.equal([
        ["quiet", 5, 0],
        ["default", 0, 1],
      ]);
      expect(totals).to.include({ pending: 5, running: 1, failed: 0 });
    }
    expect(views[1]?.totals.createdPerSecond).to.deep.equal({ interval: 0, minute: 0 });
    const workerId = stack.stack.workers[0]?.ready.workerId;
    expect(views[1]?.workers[0]).to.include({ id: workerId, slots: 4, draining: false });
    gate.open();
    await stack.client.waitFor(id);
  });

  it("counts what is created, finished and failed meanwhile, with waits and runs, also over a restart of the service", async () => {
    const { client } = stack;
    const labels = { test: "restarted" };
    const gate = new Gate(stack.dataDir, "restarted");
    const held = await client.create("flow.gate", gate.payload, { labels });
    const top = startCli(["top", "--interval", "0.2", "--filter", "labels.test = restarted"], env());
    await until("the first view is there", () => latest(top) !== undefined);
    const failing = await client.create("flow.stubborn", {}, { labels });
    await client.waitFor(failing.id);
    await until("it has failed", () => latest(top)?.totals.failed === 1);
    const seen = latest(top)?.totals;
    expect(seen?.finishedPerSecond.minute).to.be.above(0);
    expect(seen?.waitMs.p99).to.be.above(0);
    expect(seen?.runMs.samples).to.equal(1);
    await stack.stack.service.kill();
    await stack.stack.service.start();
    const waiting = await client.create("nobody.home", {}, { labels });
    gate.open();
    await client.waitFor(held.id);
    await until("both are told", () => {
      const { pending, running, runMs } = latest(top)?.totals ?? {};
      return pending === 1 && running === 0 && runMs?.samples === 2;
    });
    await client.cancel(waiting.id);
    await until("nothing is open", () => latest(top)?.totals.pending === 0);
    expect(latest(top)?.totals.failed).to.equal(1);
    top.process.kill("SIGINT");
    expect(await top.result).to.include({ stderr: "", exitCode: 130 });
  });

  it("ends quietly when nobody reads on", async () => {
    const top = startCli(["top", "--interval", "0.2"], env());
    await until("it has begun", () => latest(top) !== undefined);
    top.process.stdout?.destroy();
    expect(await top.result).to.include({ stderr: "", exitCode: 0 });
  });

  it("exits with 2 for what is wrong on the command line, and says what", async () => {
    const wrong = await taskwire(["top", "--filter", "state = pending"]);
    expect(wrong).to.include({ stdout: "", exitCode: 2 });
    expect(wrong.stderr).to.include("filter").and.include("character 9: expected one of PENDING");
    for (const args of [
      ["--interval", "0.1"],
      ["--interval", "61"],
      ["--count", "0"],
    ])
      expect((await taskwire(["top", ...args])).exitCode, args.join(" ")).to.equal(2);
  });
});
