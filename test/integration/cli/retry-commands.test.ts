import { expect } from "chai";
import { TaskState } from "#libs/client/taskwire-client.js";
import { fixturePath } from "#test/fixtures/tasks/fixture-path.js";
import { Gate } from "#test/support/gate.js";
import { runCli, type CliResult } from "#test/support/run-cli.js";
import { startTestStack, type TestStack } from "#test/support/test-stack.js";

const UNKNOWN = "01900000-0000-7000-8000-000000000000";

describe("The commands of taskwire around retries", () => {
  let stack: TestStack;

  before(async function () {
    this.timeout(60_000);
    const modules = ["retry-tasks.js", "process-tasks.js"];
    stack = await startTestStack({
      workerArgs: modules.flatMap((file) => ["--tasks", fixturePath(file)]),
      serviceEnv: { TASKWIRE_QUEUE_CAPACITY: "2" },
    });
  });

  after(async function () {
    this.timeout(60_000);
    await stack?.stop();
  });

  const taskwire = (args: readonly string[]): Promise<CliResult> =>
    runCli(args, { env: { TASKWIRE_ADDRESS: stack.address } });

  const linesOf = ({ stdout }: CliResult) => stdout.trimEnd().split("\n");
  const objectsOf = (result: CliResult) => linesOf(result).map((line) => JSON.parse(line) as Record<string, unknown>);

  it("retry opens a failed task again, watch follows it to its latest end, attempts lists what was tried", async () => {
    const gate = new Gate(stack.dataDir, "mended");
    const args = [JSON.stringify(gate.payload), "--max-attempts", "1", "--total-timeout", "1h"];
    const failed = await taskwire(["run", "retry.mended", ...args, "--json"]);
    expect(failed.exitCode).to.equal(1);
    const [task] = objectsOf(failed);
    expect(task).to.include.keys("deadlineTime", "warnings");
    const id = String(task?.["id"]);
    gate.open();

    expect(await taskwire(["retry", id])).to.deep.equal({ stdout: `${id}  PENDING\n`, stderr: "", exitCode: 0 });
    const watched = await taskwire(["watch", id, "--after", "0"]);
    expect(objectsOf(watched).map(({ kind }) => kind)).to.deep.equal([
      ...["created", "started", "failed", "reopened", "started", "completed"],
    ]);
    expect(watched.exitCode).to.equal(0);

    const [headings, ...rows] = linesOf(await taskwire(["attempts", id]));
    expect(headings).to.match(/^ATTEMPT +WORKER +STARTED +TOOK +OUTCOME +CODE +MESSAGE$/);
    const worker = stack.stack.workers[0]?.ready.workerId ?? "";
    const begin = (number: number) => `^${number} +${worker} +\\d{4}-\\S+Z +[\\d.]+ m?s +`;
    expect(rows).to.have.lengthOf(2);
    expect(rows[0]).to.match(new RegExp(`${begin(1)}FAILED +HANDLER_ERROR +not mended yet$`));
    expect(rows[1]).to.match(new RegExp(`${begin(2)}SUCCEEDED$`));
    const attempts = objectsOf(await taskwire(["attempts", id, "--json"]));
    expect(attempts.map(({ number, outcome, counted }) => [number, outcome, counted])).to.deep.equal([
      [1, "FAILED", true],
      [2, "SUCCEEDED", true],
    ]);
  });

  it("submit takes the codes and the total timeout of the retry policy", async () => {
    const codes = ["--retryable-code", "A,B", "--retryable-code", "C", "--permanent-code", "D"];
    const made = await taskwire([
      "submit",
      "nobody.home",
      "--delay",
      "1h",
      "--total-timeout",
      "90s",
      ...codes,
      ...["--initial-delay", "2s", "--maximum-delay", "1m", "--multiplier", "1.5", "--memory", "64"],
      "--json",
    ]);
    const [task] = objectsOf(made);
    expect(task?.["retryPolicy"]).to.deep.include({
      initialDelay: { seconds: 2, nanos: 0 },
      maximumDelay: { seconds: 60, nanos: 0 },
      multiplier: 1.5,
      totalTimeout: { seconds: 90, nanos: 0 },
      retryableCodes: ["A", "B", "C"],
      permanentCodes: ["D"],
    });
    expect(task?.["limits"]).to.deep.include({ memoryBytes: 64 * 1024 * 1024 });
    await stack.client.cancel(String(task?.["id"]));
    const refused = await taskwire(["submit", "a.b", "--permanent-code", "lower", "--total-timeout", "1ms"]);
    expect(refused.exitCode).to.equal(2);
    expect(refused.stderr).to.include("task.retry_policy.permanent_codes[0]: ");
    expect(refused.stderr).to.include("task.retry_policy.total_timeout: ");
  });

  it("retry opens a task once for one sequence, and says why it refuses others", async () => {
    const { id } = await stack.client.create("nobody.home", {}, { queue: "waits" });
    const waits = await taskwire(["retry", id]);
    expect(waits)
      .to.include({ stdout: "", exitCode: 1 })
      .and.to.have.property("stderr")
      .that.includes("TASK_NOT_FINISHED");
    const { sequence } = await stack.client.cancel(id);
    const opened = await taskwire(["retry", id, "--sequence", String(sequence), "--json"]);
    expect(objectsOf(opened)[0]).to.include({ id, state: "PENDING", sequence: sequence + 1 });
    const again = await taskwire(["retry", id, "--sequence", String(sequence)]);
    expect(again).to.include({ exitCode: 1 }).and.to.have.property("stderr").that.includes("TASK_CHANGED");
    expect((await taskwire(["retry", id, UNKNOWN, "--sequence", "1"])).exitCode).to.equal(2);
    expect((await taskwire(["retry", UNKNOWN])).exitCode).to.equal(5);
    expect((await taskwire(["attempts", UNKNOWN])).exitCode).to.equal(5);
    expect((await taskwire(["attempts", "x"])).exitCode).to.equal(2);
    expect((await taskwire(["attempts", id])).stdout).to.equal("no attempts yet\n");
    await stack.client.cancel(id);
  });

  it("submit and retry exit with 75 while the queue is full", async () => {
    const submit = () => taskwire(["submit", "nobody.home", "--queue", "full"]);
    const first = await submit();
    await submit();
    const refused = await submit();
    expect(refused).to.include({ stdout: "", exitCode: 75 }).and.to.have.property("stderr").that.includes("QUEUE_FULL");
    await stack.client.cancel(first.stdout.trim());
    expect((await submit()).exitCode).to.equal(0);
    expect((await taskwire(["retry", first.stdout.trim()])).exitCode).to.equal(75);
  });

  it("run prints the warnings of a completed task", async () => {
    const result = await taskwire(["run", "process.outcomes", '{"outcome":"partial"}', "--json"]);
    expect(result.exitCode).to.equal(0);
    expect(result.stderr).to.equal("warning: WARNING: one was skipped\nwarning: SKIPPED: another too\n");
    const [task] = objectsOf(result);
    expect(task?.["warnings"]).to.have.nested.property("[1].details.index", 1);
    expect((await stack.client.get(String(task?.["id"]))).state).to.equal(TaskState.COMPLETED);
  });
});
