import { expect } from "chai";
import { fixturePath } from "#test/fixtures/tasks/fixture-path.js";
import { Gate } from "#test/support/gate.js";
import { runCli, startCli, type CliResult, type RunningCli } from "#test/support/run-cli.js";
import { startTestStack, type TestStack } from "#test/support/test-stack.js";
import { until } from "#test/support/until.js";

const LEVELS = ["debug", "info", "warn", "error"];

interface LoggedObject {
  readonly kind: string;
  readonly attempt: number;
  readonly log?: { readonly level: string; readonly message: string };
  readonly output?: { readonly text: string };
}

describe("taskwire logs", () => {
  let stack: TestStack;
  /** A task with two attempts that has ended. */
  let ended: string;

  before(async function () {
    this.timeout(60_000);
    stack = await startTestStack({ workerArgs: ["--tasks", fixturePath("log-tasks.js")] });
    ended = (await taskwire(["submit", "log.twice"])).stdout.trim();
    expect((await taskwire(["watch", ended])).exitCode).to.equal(0);
  });

  after(async function () {
    this.timeout(60_000);
    await stack?.stop();
  });

  const env = () => ({ env: { TASKWIRE_ADDRESS: stack.address } });
  const taskwire = (args: readonly string[]): Promise<CliResult> => runCli(args, env());
  const objectsOf = ({ stdout }: CliResult) =>
    stdout
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as LoggedObject);
  const messagesOf = (result: CliResult) => objectsOf(result).map(({ log }) => log?.message);

  /** Follows a new `log.around` task; resolves when its first line is there. */
  async function followAround(name: string, more: object = {}): Promise<{ id: string; gate: Gate; logs: RunningCli }> {
    const gate = new Gate(stack.dataDir, name);
    const { id } = await stack.client.create("log.around", { ...gate.payload, ...more });
    const logs = startCli(["logs", id, "-f"], env());
    await until("the first line is there", () => logs.stdout().includes("before"));
    return { id, gate, logs };
  }

  it("prints the lines of all attempts in order, in the form of events", async () => {
    const logs = await taskwire(["logs", ended]);
    expect(logs).to.include({ stderr: "", exitCode: 0 });
    expect(messagesOf(logs)).to.deep.equal([1, 2].flatMap((attempt) => LEVELS.map((level) => `${level} ${attempt}`)));
    const events = await taskwire(["events", ended, "--json"]);
    expect(objectsOf(logs)).to.deep.equal(objectsOf(events).filter(({ kind }) => kind === "log"));
    expect(await taskwire(["logs", ended, "--json"])).to.deep.equal(logs);
  });

  it("filters by level and attempt", async () => {
    expect(messagesOf(await taskwire(["logs", ended, "--level", "warn"]))).to.deep.equal([
      ...["warn 1", "error 1", "warn 2", "error 2"],
    ]);
    const second = await taskwire(["logs", ended, "--level", "INFO", "--attempt", "2", "--follow"]);
    expect(messagesOf(second)).to.deep.equal(["info 2", "warn 2", "error 2"]);
    expect(await taskwire(["logs", ended, "--attempt", "3"])).to.deep.equal({ stdout: "", stderr: "", exitCode: 0 });
  });

  it("--output prints the output between the lines", async () => {
    const both = objectsOf(await taskwire(["logs", ended, "--output", "--attempt", "1", "--level", "error"]));
    const texts = both.filter(({ kind }) => kind === "output").map(({ output }) => output?.text);
    expect(texts.join("")).to.equal("half a line, and the rest\n");
    expect(both.at(-1)?.log?.message).to.equal("error 1");
  });

  it("--follow prints lines as they come, to the end of the task", async () => {
    const { gate, logs } = await followAround("follows");
    expect(logs.stdout()).to.not.include("after");
    gate.open();
    const result = await logs.result;
    expect(messagesOf(result)).to.deep.equal(["before", "after"]);
    expect(result).to.include({ stderr: "", exitCode: 0 });
  });

  it("--follow exits with 1 for a failed and 3 for a cancelled task", async () => {
    const failing = await followAround("fails", { fails: true });
    failing.gate.open();
    expect((await failing.logs.result).exitCode).to.equal(1);
    expect(messagesOf(await taskwire(["logs", failing.id]))).to.deep.equal(["before", "after"]);
    const cancelled = await followAround("cancelled");
    await stack.client.cancel(cancelled.id);
    expect((await cancelled.logs.result).exitCode).to.equal(3);
  });

  it("Ctrl-C detaches from a task that goes on, and says how to come back", async () => {
    const { id, gate, logs } = await followAround("detached");
    logs.process.kill("SIGINT");
    const farewell = `Detached; the task goes on. Come back with: taskwire logs ${id} --follow\n`;
    expect(await logs.result).to.include({ stderr: farewell, exitCode: 130 });
    gate.open();
    expect((await taskwire(["logs", id, "--follow"])).exitCode).to.equal(0);
  });

  it("ends quietly when nobody reads on", async () => {
    const { gate, logs } = await followAround("closed", { fails: true });
    logs.process.stdout?.destroy();
    gate.open();
    expect(await logs.result).to.include({ stderr: "", exitCode: 0 });
  });

  it("exits with 5 for a task that does not exist, and with 2 for what is wrong on the command line", async () => {
    const unknown = "01900000-0000-7000-8000-000000000000";
    expect((await taskwire(["logs", unknown])).exitCode).to.equal(5);
    expect((await taskwire(["logs", unknown, "--follow"])).exitCode).to.equal(5);
    const level = await taskwire(["logs", ended, "--level", "loud"]);
    expect(level).to.include({ stdout: "", exitCode: 2 });
    expect(level.stderr).to.include("it must be one of debug, info, warn, error");
    for (const args of [["not-an-id"], [], [ended, "--attempt", "0"], [ended, "--attempt", "x"]])
      expect((await taskwire(["logs", ...args])).exitCode, args.join(" ")).to.equal(2);
  });
});
