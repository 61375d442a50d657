import { expect } from "chai";
import { fixturePath } from "#test/fixtures/tasks/fixture-path.js";
import { runCli, startCli, type CliResult } from "#test/support/run-cli.js";
import { startTestStack, type TestStack } from "#test/support/test-stack.js";
import { until } from "#test/support/until.js";

describe("The client commands of taskwire", () => {
  let stack: TestStack;

  before(async function () {
    this.timeout(60_000);
    stack = await startTestStack({ workerArgs: ["--tasks", fixturePath("process-tasks.js")] });
  });

  after(async function () {
    this.timeout(60_000);
    await stack.stop();
  });

  const taskwire = (args: readonly string[], input?: string): Promise<CliResult> =>
    runCli(args, { env: { TASKWIRE_ADDRESS: stack.address }, ...(input === undefined ? {} : { input }) });

  it("run prints the result, and nothing else when nobody looks", async () => {
    const result = await taskwire(["run", "process.typed", '{"count":21}']);
    expect(result).to.deep.equal({ stdout: '{\n  "doubled": 42\n}\n', stderr: "", exitCode: 0 });
  });

  it("run exits with 1 and the reason when the task fails", async () => {
    const result = await taskwire(["run", "process.outcomes", '{"outcome":"permanent"}']);
    expect(result.exitCode).to.equal(1);
    expect(result.stderr).to.include("NO_SUCH_USER: the user is gone");
    expect(result.stdout).to.equal("");
  });

  it("run --cancel-unwatched has its task cancelled when it is gone", async () => {
    const label = ["--label", "run=gone"];
    const running = startCli(["run", "nobody.home", "--cancel-unwatched", "1s", ...label], {
      env: { TASKWIRE_ADDRESS: stack.address },
    });
    const found = () => stack.client.listPage({ labels: { run: "gone" } }).then(({ tasks }) => tasks[0]);
    const { id } = await until("its task is there", found);
    running.process.kill("SIGKILL");
    await running.result;
    await until("it is cancelled", async () => (await stack.client.get(id)).error?.code === "CANCELLED");
  });

  it("submit takes its payload from stdin and prints the id; watch tells the whole history as JSON lines", async () => {
    const submitted = await taskwire(
      ["submit", "process.typed", "-", "--label", "team=docs", "--priority", "7"],
      '{"count":1}',
    );
    const id = submitted.stdout.trim();
    const watched = await taskwire(["watch", id, "--after", "0"]);
    const events = watched.stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { sequence: number; kind: string });
    expect(events.map((event) => event.sequence)).to.deep.equal(events.map((_, index) => index + 1));
    expect(events.map((event) => event.kind)).to.include.members(["created", "started", "completed"]);
    expect(watched.exitCode).to.equal(0);
    const task = JSON.parse((await taskwire(["get", id])).stdout) as Record<string, unknown>;
    expect(task).to.deep.include({
      id,
      state: "COMPLETED",
      priority: 7,
      labels: { team: "docs" },
      result: { doubled: 2 },
    });
  });

  it("list filters, as a table and as JSON lines", async () => {
    const { stdout: id } = await taskwire(["submit", "nobody.home", "--queue", "listed", "--delay", "1h"]);
    const rows = await taskwire(["list", "--queue", "listed", "--state", "pending"]);
    expect(rows.stdout.split("\n")[0]).to.match(/^ID +TYPE +QUEUE +STATE/);
    expect(rows.stdout).to.include(id.trim());
    const lines = await taskwire(["list", "--queue", "listed", "--json"]);
    expect(
      lines.stdout
        .trim()
        .split("\n")
        .map((line) => (JSON.parse(line) as { id: string }).id),
    ).to.deep.equal([id.trim()]);
    expect((await taskwire(["list", "--queue", "listed", "--state", "failed"])).stdout).to.equal("no tasks\n");
    const filtered = await taskwire(["list", "--queue", "listed", "--filter", "type = 'nobody.*' OR attempt > 5"]);
    expect(filtered.stdout).to.include(id.trim());
    const wrong = await taskwire(["list", "--filter", "state = pending"]);
    expect(wrong.exitCode).to.not.equal(0);
    expect(wrong.stderr).to.include("filter").and.to.include("character 9: expected one of PENDING");
  });

  it("cancel stops a waiting task at once, and watch then exits with 3", async () => {
    const id = (await taskwire(["submit", "nobody.home", "--delay", "1h"])).stdout.trim();
    expect((await taskwire(["cancel", id, "--reason", "a mistake"])).stdout).to.equal(`${id}  CANCELLED\n`);
    expect((await taskwire(["watch", id])).exitCode).to.equal(3);
  });

  it("Ctrl-C detaches from a task that goes on, and says how to come back", async () => {
    const id = (await taskwire(["submit", "nobody.home", "--delay", "1h"])).stdout.trim();
    const watch = startCli(["watch", id], { env: { TASKWIRE_ADDRESS: stack.address } });
    await until("the watch has begun", () => watch.stdout().includes("snapshot"));
    watch.process.kill("SIGINT");
    const result = await watch.result;
    expect(result.exitCode).to.equal(130);
    expect(result.stderr).to.equal(`Detached; the task goes on. Come back with: taskwire watch ${id} --after 1\n`);
    expect((await stack.client.cancel(id)).attempt).to.equal(0);
  });

  it("workers, ping and health see the running worker and service", async () => {
    const workers = await taskwire(["workers", "--json"]);
    expect(JSON.parse(workers.stdout)).to.include({ id: stack.stack.workers[0]?.ready.workerId, draining: false });
    expect((await taskwire(["ping"])).stdout).to.match(/^worker [0-9a-f-]{36} answered in [\d.]+ ms\n$/);
    expect((await taskwire(["health"])).stdout).to.equal("SERVING\n");
  });

  it("exits with 5 for a task that does not exist, and with 2 for what is wrong on the command line", async () => {
    const unknown = "01900000-0000-7000-8000-000000000000";
    expect((await taskwire(["get", unknown])).exitCode).to.equal(5);
    expect((await taskwire(["watch", unknown])).exitCode).to.equal(5);
    expect((await taskwire(["ping", "--worker", unknown])).exitCode).to.equal(5);
    for (const args of [
      ["get", "not-an-id"],
      ["submit", "Bad Type"],
      ["submit", "a.b", "[1]"],
      ["submit", "a.b", "--priority", "x"],
      ["nonsense"],
    ]) {
      expect((await taskwire(args)).exitCode, args.join(" ")).to.equal(2);
    }
  });

  it("names every violated field of a refused task", async () => {
    const { stderr } = await taskwire(["submit", "Bad Type", "--priority", "500", "--max-attempts", "1000"]);
    expect(stderr).to.include("task.type: ").and.include("task.priority: ").and.include("task.max_attempts: ");
  });

  it("exits with 4 and says what to do when nobody is there", async () => {
    const result = await runCli(["list", "--address", "127.0.0.1:1"]);
    expect(result.exitCode).to.equal(4);
    expect(result.stderr).to.include("cannot reach a task-service at 127.0.0.1:1").and.include("taskwire dev");
  });
});
