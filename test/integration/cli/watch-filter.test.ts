import { expect } from "chai";
import { fixturePath } from "#test/fixtures/tasks/fixture-path.js";
import { historyOf } from "#test/support/follow-task.js";
import { Gate } from "#test/support/gate.js";
import { runCli, startCli, type CliResult, type RunningCli } from "#test/support/run-cli.js";
import { startTestStack, type TestStack } from "#test/support/test-stack.js";
import { until } from "#test/support/until.js";

interface WatchedObject {
  readonly kind: string;
  readonly id?: string;
  readonly taskId?: string;
  readonly type?: string;
  readonly queue?: string;
  readonly state?: string;
  readonly sequence?: number;
  readonly revision?: number;
  readonly resumeToken?: string;
}

describe("taskwire watch --filter", function () {
  this.timeout(60_000);
  let stack: TestStack;
  let names = 0;

  before(async () => {
    stack = await startTestStack({
      workerArgs: ["--tasks", fixturePath("flow-tasks.js"), "--tasks", fixturePath("log-tasks.js")],
      serviceEnv: { TASKWIRE_WATCH_HEARTBEAT_MS: "200" },
    });
  });
  after(async () => {
    await stack?.stop();
  });

  const env = () => ({ env: { TASKWIRE_ADDRESS: stack.address } });
  const taskwire = (args: readonly string[]): Promise<CliResult> => runCli(args, env());
  const freshLabels = () => ({ test: `filter-${++names}` });
  const filterOf = (labels: { test: string }) => `labels.test = '${labels.test}'`;
  const objectsIn = (text: string) =>
    text
      .split("\n")
      .slice(0, -1)
      .map((line) => JSON.parse(line) as WatchedObject);

  /** Starts a watch, and stops it with Ctrl-C when it has told enough. */
  async function watchUntil(
    args: readonly string[],
    isEnough: (objects: readonly WatchedObject[]) => boolean,
    meanwhile?: (watch: RunningCli) => Promise<void>,
  ): Promise<CliResult & { readonly objects: readonly WatchedObject[] }> {
    const watch = startCli(["watch", ...args], env());
    await meanwhile?.(watch);
    await until("it has told enough", () => isEnough(objectsIn(watch.stdout())));
    watch.process.kill("SIGINT");
    const result = await watch.result;
    return { ...result, objects: objectsIn(result.stdout) };
  }

  const has = (kind: string) => (objects: readonly WatchedObject[]) => objects.some((object) => object.kind === kind);

  it("tells in a pipe the tasks there are, then what happens to them to their ends", async () => {
    const labels = freshLabels();
    const gate = new Gate(stack.dataDir, labels.test);
    const { id } = await stack.client.create("flow.gate", gate.payload, { labels });
    await until("it runs", async () => (await stack.client.get(id)).progress !== undefined);
    const { objects, exitCode } = await watchUntil(["--filter", filterOf(labels)], has("completed"), async (watch) => {
      await until("the snapshot is there", () => watch.stdout().includes('"synced"'));
      gate.open();
    });
    const [task, synced] = objects;
    expect(task).to.include({ kind: "task", id, type: "flow.gate", queue: "default", state: "RUNNING" });
    expect(synced).to.have.keys("kind", "revision").and.include({ kind: "synced" });
    const events = objects.filter(({ taskId }) => taskId === id);
    const history = await taskwire(["events", id, "--json"]);
    const expected = objectsIn(history.stdout).filter(({ sequence }) => (sequence ?? 0) > (task?.sequence ?? 0));
    expect(events).to.deep.equal(expected.map((event) => ({ ...event, type: "flow.gate", queue: "default" })));
    expect(objects.some(({ kind }) => kind === "cursor")).to.equal(false);
    expect(exitCode).to.equal(130);
  });

  it("tells of tasks that leave the filter, and of the classes asked for", async () => {
    const labels = freshLabels();
    const filter = `${filterOf(labels)} AND state = RUNNING`;
    const args = ["--filter", filter, "--from-now", "--classes", "states,logs"];
    const { objects } = await watchUntil(args, has("unselected"), async (watch) => {
      await until("the watch has begun", () => watch.stdout().includes('"bookmark"'));
      await stack.client.create("log.twice", {}, { labels, maxAttempts: 1 });
    });
    const told = objects.filter(({ taskId }) => taskId !== undefined).map(({ kind }) => kind);
    expect(told[0]).to.equal("started");
    expect(told.at(-1)).to.equal("unselected");
    expect(told.slice(1, -1)).to.include("log").and.not.include.members(["progress", "output"]);
  });

  it("loses nothing and repeats nothing between a cursor and the watch that goes on from it", async () => {
    const labels = freshLabels();
    const { client } = stack;
    const filter = filterOf(labels);
    const first = await client.create("flow.count", { to: 2 }, { labels });
    await client.waitFor(first.id);
    const begin = ["--filter", filter, "--after-revision", "0", "--classes", "states", "--cursors"];
    const before = await watchUntil(begin, has("bookmark"));
    expect(before.objects.at(-1)).to.have.keys("kind", "resumeToken").and.include({ kind: "cursor" });
    const farewell = /^Detached; the tasks go on. Come back with: taskwire watch --filter (.*) --resume (\S+)\n$/;
    const [, quoted, token = ""] = farewell.exec(before.stderr) ?? [];
    expect(quoted).to.equal(`'${filter.replaceAll("'", "'\\''")}' --classes states`);
    expect(token).to.equal(before.objects.at(-1)?.resumeToken);
    const second = await client.create("flow.count", { to: 2 }, { labels });
    await client.waitFor(second.id);
    const later = await watchUntil(["--filter", filter, "--classes", "states", "--resume", token], has("bookmark"));
    const revisions = [...before.objects, ...later.objects].flatMap(({ taskId, revision }) =>
      taskId === undefined ? [] : [revision],
    );
    const histories = await Promise.all([first.id, second.id].map((id) => historyOf(client, id)));
    const whole = histories.flat().filter(({ kind }) => kind?.$case !== "progress");
    expect(revisions).to.deep.equal(whole.map(({ revision }) => revision));
  });

  it("ends quietly when nobody reads on", async () => {
    const watch = startCli(["watch", "--filter", filterOf(freshLabels())], env());
    await until("it has begun", () => watch.stdout().includes('"synced"'));
    watch.process.stdout?.destroy();
    expect(await watch.result).to.include({ stderr: "", exitCode: 0 });
  });

  it("exits with 2 for what is wrong on the command line, and says what", async () => {
    const wrong = await taskwire(["watch", "--filter", "state = pending"]);
    expect(wrong).to.include({ stdout: "", exitCode: 2 });
    expect(wrong.stderr).to.include("filter").and.include("character 9: expected one of PENDING");
    const beyond = await taskwire(["watch", "--filter", "", "--after-revision", "1000000"]);
    expect(beyond.exitCode).to.equal(2);
    expect(beyond.stderr).to.include("begin with a snapshot");
    const id = "01900000-0000-7000-8000-000000000000";
    for (const [args, words] of [
      [[], "their ids, or --filter"],
      [[id, "--filter", ""], "not both"],
      [[id, "--from-now"], "go with --filter"],
      [["--filter", "", "--after", "1"], "--after-revision"],
      [["--filter", "", "--from-now", "--resume", "x"], "one of"],
      [["--filter", "", "--classes", "states,all"], "some of states,progress,logs,output"],
      [["--filter", "", "--resume", "x"], "resume_token"],
    ] as const) {
      const result = await taskwire(["watch", ...args]);
      expect(result.exitCode, args.join(" ")).to.equal(2);
      expect(result.stderr).to.include(words);
    }
  });
});
