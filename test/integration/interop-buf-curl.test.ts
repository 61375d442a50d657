import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect } from "chai";
import { startTestStack, type TestStack } from "#test/support/test-stack.js";

const run = promisify(execFile);
const BUF = fileURLToPath(new URL("../../../node_modules/.bin/buf", import.meta.url));
const START_TIMEOUT_MS = 60_000;

/** One JSON document per line or spread over several, as buf curl prints them. */
function documents(text: string): Record<string, unknown>[] {
  return text
    .split(/(?<=^\})\s*$|(?<=\})\n(?=\{)/m)
    .filter((part) => part.trim() !== "")
    .map((part) => JSON.parse(part) as Record<string, unknown>);
}

describe("buf curl, which knows nothing but what reflection tells", function () {
  this.timeout(START_TIMEOUT_MS);
  let stack: TestStack;

  before(async () => {
    stack = await startTestStack();
  });

  after(async () => {
    await stack.stop();
  });

  async function curl(
    path: string,
    options: { readonly data?: unknown; readonly args?: readonly string[] } = {},
  ): Promise<string> {
    const data = options.data === undefined ? [] : ["--data", JSON.stringify(options.data)];
    const { stdout } = await run(
      BUF,
      [
        "curl",
        "--http2-prior-knowledge",
        "--protocol",
        "grpc",
        ...(options.args ?? []),
        ...data,
        `http://${stack.address}${path}`,
      ],
      { timeout: 30_000, cwd: stack.dataDir },
    );
    return stdout;
  }

  const call = async (method: string, data: unknown) => documents(await curl(`/taskwire.v1.${method}`, { data }));

  for (const protocol of ["grpc-v1", "grpc-v1alpha"]) {
    it(`lists services and methods through ${protocol}`, async () => {
      const reflect = ["--reflect-protocol", protocol];
      const services = await curl("", { args: [...reflect, "--list-services"] });
      expect(services.split("\n")).to.include.members([
        "grpc.health.v1.Health",
        "taskwire.v1.TaskService",
        "taskwire.v1.WorkerService",
      ]);
      const methods = await curl("", { args: [...reflect, "--list-methods"] });
      for (const method of [
        "BatchCreateTasks",
        "CancelTask",
        "CreateTask",
        "GetTask",
        "ListTasks",
        "WatchTask",
        "WatchTasks",
      ]) {
        expect(methods.split("\n")).to.include(`taskwire.v1.TaskService/${method}`);
      }
    });
  }

  it("creates a task with a JSON payload, labels and limits, and watches it to its terminal event", async () => {
    const task = {
      type: "system.health_check",
      payload: {},
      labels: { team: "interop", "app.example/x": "y" },
      limits: { softTimeout: "5s", hardTimeout: "6.500s" },
    };
    const [created] = await call("TaskService/CreateTask", { task, request_id: "interop-1" });
    expect(created).to.deep.include({ ...task, queue: "default", state: "PENDING", sequence: "1" });
    const id = String(created?.["id"]);
    const frames = await call("TaskService/WatchTask", { id, after_sequence: 0 });
    const events = frames.flatMap((frame) => (frame["events"] as Record<string, unknown>[] | undefined) ?? []);
    expect(events.map(({ sequence }) => Number(sequence))).to.deep.equal(events.map((_, index) => index + 1));
    expect(events[0]).to.have.property("created");
    expect(events.at(-1)).to.include({ state: "COMPLETED" }).and.to.have.property("completed");
    const [done] = await call("TaskService/GetTask", { id, view: "TASK_VIEW_FULL" });
    expect(done).to.include({ state: "COMPLETED", attempt: 1 }).and.to.have.property("result");
    const [page] = await call("TaskService/ListTasks", { filter: `id = ${id} AND labels.team = interop` });
    expect(page?.["tasks"]).to.have.length(1);
  });

  it("begins a watch without a cursor by the snapshot, and creates batches", async () => {
    const request = { task: { type: "nobody.runs_this", payload: { nested: [1, "two", null, { three: 3 }] } } };
    const [answer] = await call("TaskService/BatchCreateTasks", { requests: [request, request] });
    const tasks = answer?.["tasks"] as Record<string, unknown>[];
    expect(tasks.map(({ state }) => state)).to.deep.equal(["PENDING", "PENDING"]);
    const id = tasks[0]?.["id"];
    const [full] = await call("TaskService/GetTask", { id });
    expect(full?.["payload"]).to.deep.equal(request.task.payload);
    await call("TaskService/CancelTask", { id, reason: "enough" });
    const [frame] = await call("TaskService/WatchTask", { id });
    expect(frame?.["snapshot"]).to.include({ id, state: "CANCELLED" });
  });

  it("watches many tasks: the snapshot, what happens, and on from a token", async () => {
    const filter = 'labels.test = "curl-watch"';
    const task = { type: "system.health_check", labels: { test: "curl-watch" } };
    await call("TaskService/BatchCreateTasks", { requests: [{ task }, { task }] });
    // It does not end by itself: buf curl is told when to.
    const watch = (data: unknown) =>
      curl("/taskwire.v1.TaskService/WatchTasks", { data, args: ["--timeout", "3s"] }).then(
        () => "",
        (error: unknown) => String(Reflect.get(Object(error), "stdout")),
      );
    const frames = documents(await watch({ filter }));
    const known = new Set(
      frames.flatMap((frame) => (frame["snapshot"] as { id: string }[] | undefined) ?? []).map(({ id }) => id),
    );
    expect(known.size).to.equal(2);
    expect(frames.some((frame) => "synced" in frame)).to.equal(true);
    const again = documents(await watch({ filter, resume_token: frames[0]?.["resumeToken"] }));
    const statesOf = (some: Record<string, unknown>[]) =>
      some
        .flatMap((frame) => (frame["changes"] as { event: { state: string } }[] | undefined) ?? [])
        .map(({ event }) => event.state);
    expect(statesOf(again)).to.deep.equal(statesOf(frames));
  });

  it("describes the service: every message behind it can be fetched and understood", async () => {
    const workers = await call("WorkerService/ListWorkers", {});
    expect(workers[0]?.["workers"]).to.have.length(1);
    const [answer] = await call("WorkerService/Ping", { timeout: "5s" });
    expect(answer).to.have.property("roundTrip");
    const health = documents(
      await curl("/grpc.health.v1.Health/Check", { data: { service: "taskwire.v1.TaskService" } }),
    );
    expect(health).to.deep.equal([{ status: "SERVING" }]);
  });

  it("reads the details of an error", async () => {
    const failure = await call("TaskService/CreateTask", { task: { type: "A" } }).then(
      () => "",
      (error: unknown) => String(Reflect.get(Object(error), "stderr")),
    );
    expect(failure).to.contain("invalid_argument").and.to.contain("task.type").and.to.contain("google.rpc.ErrorInfo");
  });
});
