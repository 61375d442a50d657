import { expect } from "chai";
import { TaskState, TaskwireClient } from "#libs/client/taskwire-client.js";
import { rejectionOf } from "#test/support/rejection-of.js";
import { ToyTaskService } from "#test/unit/libs/rpc/toy-task-service.js";

describe("TaskwireClient", () => {
  let toy: ToyTaskService;
  let client: TaskwireClient;

  beforeEach(async () => {
    toy = await new ToyTaskService().start();
    client = new TaskwireClient({ address: toy.address });
  });

  afterEach(async () => {
    client.close();
    await toy.server.stop(0);
  });

  it("creates many in one call, in order, with their payloads", async () => {
    const tasks = await client.createMany([
      { type: "a", payload: { n: 1 } },
      { type: "b", queue: "q" },
    ]);
    expect(tasks.map(({ type, queue, payload }) => ({ type, queue, payload }))).to.deep.equal([
      { type: "a", queue: "", payload: { n: 1 } },
      { type: "b", queue: "q", payload: {} },
    ]);
    expect(toy.calls).to.deep.equal(["batch 2"]);
  });

  it("creates none of many when one is bad, and names it", async () => {
    const error = await rejectionOf(client.createMany([{ type: "a" }, { type: "bad" }]));
    expect(error).to.have.nested.property("violations[0].field", "requests[1].task.type");
    expect(toy.tasks.size).to.equal(0);
  });

  it("iterates over all pages", async () => {
    await client.createMany(Array.from({ length: 7 }, (_, n) => ({ type: `t${n}` })));
    const types: string[] = [];
    for await (const { type } of client.list({ pageSize: 3 })) types.push(type);
    expect(types).to.deep.equal(["t0", "t1", "t2", "t3", "t4", "t5", "t6"]);
    expect(await client.listPage({ pageSize: 5, pageToken: "5" })).to.have.property("nextPageToken", "");
  });

  it("gets and cancels, and tells of a task that does not exist", async () => {
    const { id } = await client.create("a");
    expect(await client.get(id)).to.include({ id, type: "a" });
    expect(await client.cancel(id, "why not")).to.include({ id, state: TaskState.CANCELLED });
    expect(await rejectionOf(client.get("nothing"))).to.include({ code: "NOT_FOUND", reason: "TASK_NOT_FOUND" });
  });

  it("tells within the given time that there is no service", async () => {
    await toy.server.stop(0);
    const error = await rejectionOf(client.ready(200));
    expect(error).to.include({ code: "UNAVAILABLE" });
    expect(error.message).to.contain("is the task-service running there?");
  });

  it("fails calls that wait to be tried again when it is closed", async () => {
    await toy.server.stop(0);
    const creating = client.create("a");
    await new Promise(setImmediate);
    client.close();
    expect(await rejectionOf(creating)).to.be.an("error");
  });
});
