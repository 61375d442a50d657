import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { freshDirectory } from "#test/support/fresh-directory.js";
import { markdownBlocks, type MarkdownBlock } from "#test/support/markdown-blocks.js";
import { rejectionOf } from "#test/support/rejection-of.js";
import { runShell } from "#test/support/run-shell.js";
import { startTestStack, type TestStack } from "#test/support/test-stack.js";

const TSC = fileURLToPath(new URL("../../../node_modules/typescript/bin/tsc", import.meta.url));
const PRINTED_ADDRESS = "127.0.0.1:50051";
const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}/;
const HANDLER_FILE = "invoice-total.js";
const CLIENT_FILE = "client.ts";
const RETRY_FILE = "retry.ts";

describe("README.md", function () {
  this.timeout(120_000);
  const blocks = markdownBlocks("README.md");
  const directory = freshDirectory();
  const tested = new Set<string>();
  let test: TestStack;

  before(async () => {
    // Inside the project's folder `taskwire/client` means the project itself.
    test = await startTestStack({ serviceEnv: { TASKWIRE_WATCH_HEARTBEAT_MS: "500" } });
    writeFileSync(join(directory.path, HANDLER_FILE), textOf("handler"));
    writeFileSync(join(directory.path, CLIENT_FILE), here(textOf("client")));
    writeFileSync(join(directory.path, RETRY_FILE), here(textOf("client retry")));
  });
  after(async () => {
    await test?.stop();
    directory.remove();
  });

  function blockOf(example: string): MarkdownBlock {
    const found = blocks.filter((block) => block.example === example);
    const [block] = found;
    if (block === undefined || found.length > 1) throw new Error(`README.md has ${found.length} examples “${example}”`);
    tested.add(example);
    return block;
  }

  const textOf = (example: string) => blockOf(example).text;

  /** The text with the address of the test's own service. */
  const here = (text: string) => text.replaceAll(PRINTED_ADDRESS, test.address);

  /** Runs a shell example as it is printed and returns what it printed. */
  async function shell(example: string): Promise<string> {
    const env = { TASKWIRE_ADDRESS: test.address };
    const result = await runShell(here(textOf(example)), { cwd: directory.path, env });
    expect(result, `${example}: ${result.stderr}`).to.include({ exitCode: 0 });
    return result.stdout;
  }

  /** Runs node beside the examples' files. */
  async function runNode(args: readonly string[]): Promise<{ stdout: string; failed: boolean }> {
    const { stdout, exitCode } = await runShell('node "$@"', { cwd: directory.path, env: {}, args });
    return { stdout, failed: exitCode !== 0 };
  }

  /** The JSON objects in a text, each on one line or laid out from a line `{` to a line `}`. */
  const objectsOf = (text: string) =>
    [...text.matchAll(/^\{.*\}$|^\{\n[\s\S]*?^\}$/gm)].map(([object]) => JSON.parse(object) as Record<string, unknown>);

  it("marks every block of code as an example, or says why it is not run", () => {
    const unmarked = blocks.filter(
      ({ language, example, notRun }) => language !== "text" && example === undefined && notRun === undefined,
    );
    expect(unmarked.map(({ line, text }) => `line ${line}: ${text.split("\n")[0]}`)).to.deep.equal([]);
  });

  it("shows the command line: run, submit, watch, get, list, workers, ping", async () => {
    const printed = await shell("command line");
    expect(printed).to.include('"nodeVersion"');
    const events = objectsOf(printed).filter((object) => "sequence" in object && "kind" in object);
    expect(events.map((event) => event["kind"])).to.include.members(["created", "started", "completed"]);
    const task = objectsOf(printed).find((object) => "payload" in object);
    expect(task).to.deep.include({ type: "text.digest", state: "COMPLETED", labels: { team: "docs" } });
    expect(printed)
      .to.match(/^ID +TYPE +QUEUE +STATE/m)
      .and.match(/^ID +PROCESS +BUSY/m);
    expect(printed.trimEnd().split("\n").at(-1)).to.match(/^worker \S+ answered in /);
  });

  it("shows how to cancel on the command line", async () => {
    expect((await shell("cancel on the command line")).trim()).to.match(new RegExp(`^${UUID.source}  CANCELLED$`));
  });

  it("shows how to ask on the command line why a task does not run", async () => {
    const printed = await shell("explain on the command line");
    expect(printed).to.match(/^The task is PENDING: no living worker takes tasks from queue night; it is 1st of 1 due/);
    expect(printed)
      .to.match(/^ {2}noWorkers: /m)
      .and.match(/^ {2}inLine: /m);
  });

  it("shows how to open a failed task again on the command line, and what was tried", async () => {
    const printed = await shell("retry on the command line");
    expect(printed).to.match(/^1 +\S+ +\S+ +\S+ m?s +FAILED +PAYLOAD_REJECTED/m);
    expect(printed).to.match(new RegExp(`^${UUID.source}  PENDING$`, "m"));
    const whole = printed.slice(printed.search(/^\S+ {2}PENDING$/m));
    expect(objectsOf(whole).map((event) => event["kind"])).to.deep.equal([
      ...["created", "started", "failed", "reopened", "started", "failed"],
      ...["failed", "started"],
    ]);
  });

  it("shows how to watch many tasks on the command line", async () => {
    const [id, ...lines] = (await shell("watch by filter on the command line")).trim().split("\n");
    const objects = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(objects.map(({ kind }) => kind)).to.deep.equal(["task", "synced"]);
    expect(objects[0]).to.deep.include({ id, type: "system.health_check", labels: { team: "watched" } });
  });

  it("shows how to look at queues, rates and workers on the command line", async () => {
    const views = objectsOf(await shell("top on the command line"));
    expect(views).to.have.length(2);
    expect(views[1]).to.include.keys("queues", "totals", "workers").and.include({ isCounted: true });
  });

  it("shows how grpcurl lists and describes", async () => {
    const lines = (await shell("grpcurl list and describe")).trim().split("\n");
    expect(lines).to.include.members(["taskwire.v1.TaskService", "taskwire.v1.WorkerService", "grpc.health.v1.Health"]);
    const methods = ["CreateTask", "BatchCreateTasks", "GetTask", "ListTasks", "CancelTask", "WatchTask"];
    methods.push("RetryTask", "ListTaskAttempts", "ListTaskEvents", "ExplainTask");
    expect(lines).to.include.members(methods.map((method) => `taskwire.v1.TaskService/${method}`));
  });

  it("shows how grpcurl creates a task", async () => {
    const [task] = objectsOf(await shell("grpcurl create"));
    expect(task).to.deep.include({ type: "text.digest", state: "PENDING", labels: { team: "docs" } });
    expect(task?.["id"]).to.match(UUID);
    const again = objectsOf(await shell("grpcurl create"))[0];
    expect(again?.["id"], "the request id makes it idempotent").to.equal(task?.["id"]);
  });

  it("shows how grpcurl watches a task to its end and gets it", async () => {
    const objects = objectsOf(await shell("grpcurl watch and get"));
    const task = objects.pop();
    expect(task).to.include({ type: "system.health_check", state: "COMPLETED" });
    const events = objects.flatMap((frame) => (frame["events"] ?? []) as Record<string, unknown>[]);
    expect(events.map((event) => event["sequence"])).to.deep.equal(events.map((_event, index) => String(index + 1)));
    expect(events.at(-1)).to.include({ state: "COMPLETED" }).and.to.have.property("completed");
  });

  it("shows how grpcurl runs a task and goes on with it", async () => {
    const objects = objectsOf(await shell("grpcurl run"));
    const tasks = objects.flatMap(({ task }) => (task === undefined ? [] : [task as Record<string, unknown>]));
    expect(new Set(tasks.map(({ id }) => id)).size).to.equal(1);
    const events = objects.flatMap((frame) => (frame["events"] ?? []) as Record<string, unknown>[]);
    const ends = events.filter((event) => "completed" in event);
    expect(ends, "seen by both calls").to.have.lengthOf(2);
  });

  it("shows how grpcurl watches many tasks", async () => {
    const frames = objectsOf(await shell("grpcurl watch many"));
    const tasks = frames.flatMap((frame) => (frame["snapshot"] ?? []) as Record<string, unknown>[]);
    expect(tasks.map(({ type, labels }) => ({ type, labels }))).to.deep.equal([
      { type: "system.health_check", labels: { team: "many" } },
    ]);
    expect(frames.filter((frame) => "synced" in frame)).to.have.lengthOf(1);
    expect(frames.at(-1)?.["resumeToken"]).to.match(/^\d+\./);
  });

  it("shows how grpcurl cancels a task", async () => {
    const [task] = objectsOf(await shell("grpcurl cancel"));
    expect(task).to.include({ type: "system.health_check", state: "CANCELLED" });
  });

  it("shows how grpcurl asks why a task does not run", async () => {
    const [explanation] = objectsOf(await shell("grpcurl explain"));
    expect(explanation).to.include({ state: "PENDING" }).and.to.have.nested.property("reasons[0].delayed.runTime");
    expect(explanation?.["summary"]).to.match(/^The task is PENDING: it is due at /);
  });

  it("shows how grpcurl opens a task again and lists its attempts and events", async () => {
    const objects = objectsOf(await shell("grpcurl retry, attempts and events"));
    expect(objects[0]).to.include({ type: "system.health_check", state: "PENDING" });
    const events = (objects.at(-1)?.["events"] ?? []) as Record<string, unknown>[];
    expect(events).to.have.lengthOf(1);
    expect(events[0]).to.include({ state: "COMPLETED" }).and.to.have.property("completed");
    const attempts = (objects.at(-2)?.["attempts"] ?? []) as Record<string, unknown>[];
    expect(attempts.map(({ number, outcome, counted }) => [number, outcome, counted])).to.deep.equal([
      [1, "SUCCEEDED", true],
    ]);
  });

  it("shows how buf curl does the same", async () => {
    expect(objectsOf(await shell("buf curl"))[0]).to.include({ type: "system.health_check", state: "PENDING" });
  });

  it("has TypeScript and JavaScript that compile under strict rules", async () => {
    const flags = [
      "--strict",
      "--skipLibCheck",
      "--allowJs",
      "--checkJs",
      "--types",
      "node",
      "--rootDir",
      ".",
      "--outDir",
      "out",
    ];
    const target = ["--target", "es2023", "--module", "nodenext"];
    const files = [CLIENT_FILE, RETRY_FILE, HANDLER_FILE];
    const compiled = await runNode([TSC, ...flags, ...target, ...files]);
    expect(compiled).to.deep.equal({ stdout: "", failed: false });
  });

  it("shows a client that runs, follows and lists tasks, and learns why one failed", async () => {
    const { stdout } = await runNode([join("out", CLIENT_FILE.replace(".ts", ".js"))]);
    expect(stdout)
      .to.include("keyPhrases")
      .and.include("1 created")
      .and.match(/\d completed/);
    expect(stdout).to.match(new RegExp(`^${UUID.source} COMPLETED$`, "m"));
    expect(stdout.trimEnd().split("\n").at(-1)).to.equal("PAYLOAD_REJECTED");
  });

  it("shows a client that learns why a task failed and opens it again", async () => {
    const { stdout, failed } = await runNode([join("out", RETRY_FILE.replace(".ts", ".js"))]);
    expect(failed, stdout).to.equal(false);
    expect(stdout)
      .to.match(/^PAYLOAD_REJECTED \{/)
      .and.match(/^1 FAILED /m);
    expect(stdout.trimEnd().split("\n").slice(-3)).to.deep.equal(["reopened", "started", "failed"]);
  });

  it("shows a handler, the worker that runs it, and a task of its type", async () => {
    const [program, command, ...args] = textOf("worker").trim().split(" ");
    expect([program, command]).to.deep.equal(["taskwire", "work"]);
    await test.stack.addWorker({ args: args.map((argument) => argument.replace(/^\.\//, `${directory.path}/`)) });
    expect(JSON.parse(await shell("run the handler"))).to.deep.equal({ cents: 2800 });
    const refused = await rejectionOf(test.client.run("invoice.total", { items: [] }, { queue: "billing" }));
    expect(refused).to.have.nested.property("task.error.code", "NO_ITEMS");
  });

  it("has no example that is not tested here", () => {
    const examples = blocks.flatMap(({ example }) => (example === undefined ? [] : [example]));
    expect(examples).to.have.members([...tested]);
  });
});
