import { join } from "node:path";
import { expect } from "chai";
import * as methods from "#libs/client/service-methods.js";
import { readSettings } from "#libs/config/settings.js";
import { silentLogger } from "#libs/log/logger.js";
import { freePort } from "#libs/nats-server/free-port.js";
import { TaskView, type Task } from "#libs/proto/gen/taskwire/v1/task.js";
import { BatchCreateTasksRequest, ListTasksRequest } from "#libs/proto/gen/taskwire/v1/task_service.js";
import { Channel } from "#libs/rpc/channel.js";
import { taskServiceSettings } from "#task-service/settings.js";
import { TaskService } from "#task-service/task-service.js";
import { filterTable } from "#test/support/filter-examples.js";
import { freshDirectory } from "#test/support/fresh-directory.js";

type Asked = NonNullable<Parameters<typeof BatchCreateTasksRequest.fromPartial>[0]["requests"]>;

describe("ListTasks over gRPC", () => {
  const directory = freshDirectory();
  let service: TaskService;
  let channel: Channel;

  before(async () => {
    const env = {
      TASKWIRE_GRPC_PORT: "0",
      TASKWIRE_HTTP_PORT: "-1",
      TASKWIRE_DATABASE: join(directory.path, "taskwire.db"),
      TASKWIRE_NATS_URL: `nats://127.0.0.1:${await freePort()}`,
    };
    service = new TaskService(readSettings(taskServiceSettings, { env }), silentLogger());
    await service.start();
    channel = new Channel({ address: `127.0.0.1:${service.grpcPort}` });
  });

  after(async () => {
    channel.close();
    await service.stop();
    directory.remove();
  });

  const create = async (requests: Asked): Promise<Task[]> =>
    (await channel.unary(methods.batchCreateTasks, BatchCreateTasksRequest.fromPartial({ requests }))).tasks;

  async function listAll(
    query: Parameters<typeof ListTasksRequest.fromPartial>[0],
  ): Promise<{ ids: string[]; pages: number }> {
    const ids: string[] = [];
    let pageToken = "";
    let pages = 0;
    do {
      const page = await channel.unary(methods.listTasks, ListTasksRequest.fromPartial({ ...query, pageToken }));
      ids.push(...page.tasks.map(({ id }) => id));
      pageToken = page.nextPageToken;
      pages += 1;
    } while (pageToken !== "");
    return { ids, pages };
  }

  it("carries payload and result in the FULL view and not in the BASIC one", async () => {
    await create([{ task: { type: "view.test", payload: { a: 1 } } }]);
    const filter = "type = view.test";
    const pageOf = (view: TaskView) => channel.unary(methods.listTasks, ListTasksRequest.fromPartial({ filter, view }));
    for (const view of [TaskView.TASK_VIEW_UNSPECIFIED, TaskView.TASK_VIEW_BASIC]) {
      expect((await pageOf(view)).tasks.map(({ payload }) => payload)).to.deep.equal([undefined]);
    }
    expect((await pageOf(TaskView.TASK_VIEW_FULL)).tasks.map(({ payload }) => payload)).to.deep.equal([{ a: 1 }]);
  });

  for (const orderBy of ["", "create_time", "create_time desc", "update_time", "update_time desc", "id", "id desc"]) {
    it(`pages through everything once, ordered by “${orderBy}”`, async () => {
      const type = `order.t${orderBy.replaceAll(/[^a-z]/g, "")}`;
      const created = await create(Array.from({ length: 23 }, () => ({ task: { type } })));
      const ids = created.map(({ id }) => id);
      const isDescending = orderBy === "" || orderBy.endsWith("desc");
      const { ids: seen, pages } = await listAll({ orderBy, pageSize: 5, filter: `type = ${type}` });
      expect(seen).to.deep.equal(isDescending ? ids.toReversed() : ids);
      expect(pages).to.equal(5);
    });
  }

  it("answers every example of docs/filter.md, and finds tasks by fields, labels and the time of creation", async () => {
    for (const [filter = ""] of filterTable("Examples")) await listAll({ filter, pageSize: 1000 });
    const labels = { "app.example/x": 'a "b" * \\ 한', constructor: "own" };
    const [task] = await create([{ task: { type: "filtered.one", queue: "filtered", priority: 7, labels } }]);
    const [other] = await create([{ task: { type: "filtered.two", queue: "filtered" } }]);
    if (task?.createTime === undefined || other === undefined) throw new Error("nothing was created");
    const created = task.createTime.toISOString();
    const cases: readonly [string, readonly string[]][] = [
      ["queue = filtered", [other.id, task.id]],
      ["queue = filtered priority > 0", [task.id]],
      ['type = "filtered.*" AND NOT labels:constructor', [other.id]],
      [String.raw`labels."app.example/x" = "a \"b\" \* \\ 한"`, [task.id]],
      [`queue = filtered create_time = ${created} id = ${task.id.toUpperCase()}`, [task.id]],
      [`queue = filtered end_time:* OR create_time < ${created}`, []],
      ["queue = filtered -state = PENDING", []],
    ];
    for (const [filter, ids] of cases) expect((await listAll({ filter })).ids, filter).to.deep.equal(ids);
  });

  it("cuts pages that no client would accept: payloads that grow as protobuf, and labels by the hundred", async () => {
    const numbers = Array.from({ length: 100_000 }, () => 1);
    const heavy: Task[] = [];
    for (let count = 0; count < 8; count += 1) {
      heavy.push(...(await create([{ task: { type: "page.numbers", payload: { numbers } } }])));
    }
    const query = { orderBy: "id", pageSize: 1000 };
    const full = await listAll({ ...query, view: TaskView.TASK_VIEW_FULL, filter: "type = page.numbers" });
    expect(full.ids).to.deep.equal(heavy.map(({ id }) => id));
    expect(full.pages).to.be.greaterThan(1);
    const labels = Object.fromEntries(Array.from({ length: 32 }, (_, index) => [`label-${index}`, "x".repeat(256)]));
    const ids: string[] = [];
    for (let round = 0; round < 2; round += 1) {
      const created = await create(Array.from({ length: 300 }, () => ({ task: { type: "page.labels", labels } })));
      ids.push(...created.map(({ id }) => id));
    }
    const labelled = await listAll({ ...query, filter: "type = page.labels" });
    expect(labelled.ids).to.deep.equal(ids);
    expect(labelled.pages).to.be.greaterThan(1);
  });
});
