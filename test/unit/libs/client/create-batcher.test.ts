import { expect } from "chai";
import { deferred } from "#libs/async/deferred.js";
import { TaskState, TaskwireClient } from "#libs/client/taskwire-client.js";
import { TaskwireError } from "#libs/errors/taskwire-error.js";
import { Task } from "#libs/proto/gen/taskwire/v1/task.js";
import {
  BatchCreateTasksRequest,
  BatchCreateTasksResponse,
  CreateTaskRequest,
  GetTaskRequest,
} from "#libs/proto/gen/taskwire/v1/task_service.js";
import { unary } from "#libs/rpc/service-definition.js";
import { rejectionOf } from "#test/support/rejection-of.js";
import { ToyTaskService } from "#test/unit/libs/rpc/toy-task-service.js";

const queueFull = (queue: string) =>
  new TaskwireError({
    code: "RESOURCE_EXHAUSTED",
    reason: "QUEUE_FULL",
    message: "full",
    metadata: { queue },
    retryAfterMs: 1000,
  });

describe("single creates of the client", () => {
  const open: (() => Promise<void> | void)[] = [];

  afterEach(async () => {
    for (const close of open.splice(0)) await close();
  });

  async function start(
    replaced: ConstructorParameters<typeof ToyTaskService>[0] = {},
    options: ConstructorParameters<typeof TaskwireClient>[0] = {},
  ): Promise<{ toy: ToyTaskService; client: TaskwireClient }> {
    const toy = await new ToyTaskService(replaced).start();
    const client = new TaskwireClient({ address: toy.address, ...options });
    open.push(
      () => client.close(),
      () => toy.server.stop(0),
    );
    return { toy, client };
  }

  const types = (count: number) => Array.from({ length: count }, (_, n) => `type.n${n}`);

  it("sends a lone create as CreateTask, at once", async () => {
    const { toy, client } = await start();
    expect(await client.create("a.b", { n: 1 })).to.deep.include({ type: "a.b", payload: { n: 1 } });
    expect(toy.calls).to.deep.equal(["create"]);
  });

  it("sends creates issued together as one batch and answers each with its own task", async () => {
    const { toy, client } = await start();
    const tasks = await Promise.all(types(100).map((type, n) => client.create(type, { n })));
    expect(toy.calls).to.deep.equal(["batch 100"]);
    expect(tasks.map(({ type, payload }) => [type, payload])).to.deep.equal(types(100).map((type, n) => [type, { n }]));
  });

  it("answers as CreateTask does", async () => {
    const { toy, client } = await start();
    const single = await start({}, { batching: false });
    const payload = { keep: [1, null, { deep: "한" }], drop: undefined, date: new Date(0) };
    const create = (each: TaskwireClient) =>
      each.create("a", payload, { queue: "q", labels: { k: "v" }, requestId: "r" });
    const [one, two] = await Promise.all([create(client), client.create("b")]);
    const alone = await create(single.client);
    expect(toy.calls).to.deep.equal(["batch 2"]);
    expect(one).to.deep.equal(alone);
    expect(two.payload).to.deep.equal((await single.client.create("b")).payload);
  });

  it("is not touched by what happens to the payload after the call", async () => {
    const { client } = await start();
    const payload = { n: 1 };
    const creating = Promise.all([client.create("a", payload), client.create("b", payload)]);
    payload.n = 2;
    expect((await creating).map((task) => task.payload)).to.deep.equal([{ n: 1 }, { n: 1 }]);
  });

  it("gathers what arrives while calls are under way", async () => {
    const gate = deferred<undefined>();
    const sizes: number[] = [];
    const { toy, client } = await start(
      {
        batchCreateTasks: unary(BatchCreateTasksRequest, BatchCreateTasksResponse, async ({ requests }) => {
          sizes.push(requests.length);
          await gate.promise;
          return { tasks: requests.map((request) => toy.create(request)) };
        }),
      },
      { batching: { maxUnderWay: 1, maxRequests: 40 } },
    );
    const first = [client.create("a"), client.create("b")];
    await new Promise(setImmediate);
    const later = types(70).map((type) => client.create(type));
    gate.resolve(undefined);
    await Promise.all([...first, ...later]);
    expect(sizes).to.deep.equal([2, 40, 30]);
  });

  it("keeps batches within their bytes", async () => {
    const { toy, client } = await start({}, { batching: { maxBytes: 10_000 } });
    await Promise.all(types(10).map((type) => client.create(type, { text: "x".repeat(3000) })));
    expect(toy.calls).to.deep.equal(["batch 3", "batch 3", "batch 3", "create"]);
  });

  it("refuses one bad create with its own error and field names, and creates the others", async () => {
    const { toy, client } = await start();
    const made = await Promise.allSettled(["a", "bad", "c", "d"].map((type) => client.create(type)));
    expect(made.map(({ status }) => status)).to.deep.equal(["fulfilled", "rejected", "fulfilled", "fulfilled"]);
    const [, refused] = made;
    expect(refused?.status === "rejected" && (refused.reason as TaskwireError).violations).to.deep.equal([
      { field: "task.type", description: "is bad" },
    ]);
    expect(toy.calls).to.have.members(["batch 4", "create", "batch 3"]);
    expect(toy.tasks.size).to.equal(3);
  });

  it("creates one by one when a refusal names no member", async () => {
    const { toy, client } = await start({
      batchCreateTasks: unary(BatchCreateTasksRequest, BatchCreateTasksResponse, () => {
        throw new TaskwireError({ code: "ALREADY_EXISTS", reason: "REQUEST_ID_REUSED", message: "reused" });
      }),
    });
    await Promise.all([client.create("a"), client.create("b"), client.create("c")]);
    expect(toy.calls).to.deep.equal(["create", "create", "create"]);
  });

  describe("when a queue is full", () => {
    /** A service whose queue `small` holds so many tasks. */
    async function startSmall(
      capacity: number,
    ): Promise<{ client: TaskwireClient; calls: string[]; accepted: string[] }> {
      const calls: string[] = [];
      const accepted: string[] = [];
      const { client } = await start({
        batchCreateTasks: unary(BatchCreateTasksRequest, BatchCreateTasksResponse, ({ requests }) => {
          const small = requests.filter(({ task }) => task?.queue === "small").length;
          const held = accepted.filter((type) => type.startsWith("small")).length;
          const isFull = held + small > capacity;
          calls.push(`${requests.length} ${isFull ? "refused" : "taken"}`);
          if (isFull) throw queueFull("small");
          accepted.push(...requests.map(({ task }) => task?.type ?? ""));
          return { tasks: requests.map(({ task }) => Task.fromPartial({ id: task?.type ?? "" })) };
        }),
      });
      return { client, calls, accepted };
    }

    const outcomes = (made: PromiseSettledResult<Task>[]) =>
      made.map((each) => (each.status === "fulfilled" ? each.value.id : (each.reason as TaskwireError).reason));
    const small = (client: TaskwireClient, count: number) =>
      Array.from({ length: count }, (_, n) => client.create(`small.${n}`, {}, { queue: "small" }));

    it("creates as many as there is room for, and refuses the others as CreateTask does", async () => {
      const { client, accepted } = await startSmall(5);
      const made = outcomes(await Promise.allSettled(small(client, 8)));
      expect(made).to.deep.equal([
        ...[0, 1, 2, 3, 4].map((n) => `small.${n}`),
        "QUEUE_FULL",
        "QUEUE_FULL",
        "QUEUE_FULL",
      ]);
      expect(accepted).to.have.lengthOf(5);
    });

    it("asks a full queue twice, not once for each of many creates", async () => {
      const { client, calls } = await startSmall(0);
      const made = outcomes(await Promise.allSettled(small(client, 400)));
      expect(new Set(made)).to.deep.equal(new Set(["QUEUE_FULL"]));
      expect(calls).to.deep.equal(["400 refused", "1 refused"]);
    });

    it("creates the tasks of other queues", async () => {
      const { client, accepted } = await startSmall(0);
      const others = ["a", "b", "c"].map((type) => client.create(type));
      const made = outcomes(await Promise.allSettled([...small(client, 2), ...others]));
      expect(made).to.deep.equal(["QUEUE_FULL", "QUEUE_FULL", "a", "b", "c"]);
      expect(accepted).to.deep.equal(["a", "b", "c"]);
    });

    it("does not try again by itself", async () => {
      let calls = 0;
      const { client } = await start({
        createTask: unary(CreateTaskRequest, Task, () => {
          calls += 1;
          throw queueFull("default");
        }),
      });
      const error = await rejectionOf(client.create("a"));
      expect(error).to.include({ code: "RESOURCE_EXHAUSTED", reason: "QUEUE_FULL", retryAfterMs: 1000 });
      expect(calls).to.equal(1);
    });
  });

  it("refuses what protobuf cannot say without disturbing others", async () => {
    const { client } = await start();
    const [good, bad] = await Promise.allSettled([client.create("a", { n: 1 }), client.create("b", { n: 1n })]);
    expect(good.status).to.equal("fulfilled");
    expect(bad.status === "rejected" && (bad.reason as TaskwireError).code).to.equal("INVALID_ARGUMENT");
    expect(await client.create("c", { n: 3 })).to.deep.include({ type: "c", payload: { n: 3 } });
  });

  it("gives two creates with one request id the same task", async () => {
    const { client } = await start();
    const [one, two] = await Promise.all([
      client.create("a", {}, { requestId: "r" }),
      client.create("a", {}, { requestId: "r" }),
    ]);
    expect(one.id).to.equal(two.id);
  });

  it("fetches the result where a request id belongs to a completed task", async () => {
    const { client } = await start({
      batchCreateTasks: unary(BatchCreateTasksRequest, BatchCreateTasksResponse, ({ requests }) => ({
        tasks: requests.map((_, n) =>
          Task.fromPartial({ id: `t${n}`, state: n === 0 ? TaskState.COMPLETED : TaskState.PENDING }),
        ),
      })),
      getTask: unary(GetTaskRequest, Task, ({ id }) =>
        Task.fromPartial({ id, state: TaskState.COMPLETED, result: 42 }),
      ),
    });
    const [one] = await Promise.all([client.create("a"), client.create("b")]);
    expect(one.result).to.equal(42);
  });

  it("tries again while the service is UNAVAILABLE, with the same request id", async () => {
    const ids: string[] = [];
    const { client } = await start({
      createTask: unary(CreateTaskRequest, Task, ({ requestId }) => {
        ids.push(requestId);
        if (ids.length < 3) throw new TaskwireError({ code: "UNAVAILABLE", reason: "STARTING", message: "not yet" });
        return Task.fromPartial({ id: "x" });
      }),
    });
    expect(await client.create("a")).to.include({ id: "x" });
    expect(ids).to.have.lengthOf(3);
    expect(new Set(ids).size).to.equal(1);
    expect(ids[0]).to.match(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });

  it("neither tries again nor sends a request id when retries are off", async () => {
    const ids: string[] = [];
    const { client } = await start(
      {
        createTask: unary(CreateTaskRequest, Task, ({ requestId }) => {
          ids.push(requestId);
          throw new TaskwireError({ code: "UNAVAILABLE", reason: "STARTING", message: "not yet" });
        }),
      },
      { retryForMs: 0 },
    );
    expect(await rejectionOf(client.create("a"))).to.include({ code: "UNAVAILABLE", reason: "STARTING" });
    expect(ids).to.deep.equal([""]);
  });

  it("bounds how many creates wait", async () => {
    const { client } = await start({}, { batching: { maxWaiting: 2 } });
    const made = await Promise.allSettled([client.create("a"), client.create("b"), client.create("c")]);
    expect(made[2]?.status === "rejected" && (made[2].reason as TaskwireError).reason).to.equal("CLIENT_QUEUE_FULL");
    expect(made.slice(0, 2).map(({ status }) => status)).to.deep.equal(["fulfilled", "fulfilled"]);
  });
});
