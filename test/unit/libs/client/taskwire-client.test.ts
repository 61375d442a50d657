import { expect } from "chai";
import { AttemptOutcome, TaskState, TaskwireClient } from "#libs/client/taskwire-client.js";
import { TaskwireError } from "#libs/errors/taskwire-error.js";
import { Task, TaskAttempt } from "#libs/proto/gen/taskwire/v1/task.js";
import {
  ListTaskAttemptsRequest,
  ListTaskAttemptsResponse,
  ListTaskEventsRequest,
  ListTaskEventsResponse,
  RetryTaskRequest,
} from "#libs/proto/gen/taskwire/v1/task_service.js";
import { TaskEvent } from "#libs/proto/gen/taskwire/v1/task_event.js";
import { unary } from "#libs/rpc/service-definition.js";
import { rejectionOf } from "#test/support/rejection-of.js";
import { ToyTaskService } from "#test/unit/libs/rpc/toy-task-service.js";

const unavailable = new TaskwireError({ code: "UNAVAILABLE", reason: "SERVICE_STOPPING", message: "stops" });

describe("TaskwireClient", () => {
  let toy: ToyTaskService;
  let client: TaskwireClient;

  beforeEach(async () => {
    toy = await new ToyTaskService().start();
    client = new TaskwireClient({ address: toy.address });
  });

  /** Puts a service with methods of its own in the place of the toy. */
  async function restart(replaced: ConstructorParameters<typeof ToyTaskService>[0]): Promise<void> {
    client.close();
    await toy.server.stop(0);
    toy = await new ToyTaskService(replaced).start();
    client = new TaskwireClient({ address: toy.address });
  }

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

  it("iterates over all pages of a task's attempts", async () => {
    const asked: [number, string][] = [];
    await restart({
      listTaskAttempts: unary(ListTaskAttemptsRequest, ListTaskAttemptsResponse, ({ pageSize, pageToken }) => {
        asked.push([pageSize, pageToken]);
        if (asked.length === 1) throw unavailable;
        const number = Number(pageToken) + 1;
        const outcome = AttemptOutcome.FAILED;
        return {
          attempts: [TaskAttempt.fromPartial({ number, outcome })],
          nextPageToken: number < 3 ? String(number) : "",
        };
      }),
    });
    const numbers: number[] = [];
    for await (const { number } of client.attempts("x", { pageSize: 1 })) numbers.push(number);
    expect(numbers).to.deep.equal([1, 2, 3]);
    expect(asked, "the first call was tried again").to.deep.equal([
      [1, ""],
      [1, ""],
      [1, "1"],
      [1, "2"],
    ]);
  });

  it("iterates over all pages of a task's events, in the order asked for", async () => {
    const asked: [string, string][] = [];
    await restart({
      listTaskEvents: unary(ListTaskEventsRequest, ListTaskEventsResponse, ({ orderBy, pageToken }) => {
        asked.push([orderBy, pageToken]);
        const sequence = Number(pageToken) + 1;
        return { events: [TaskEvent.fromPartial({ sequence })], nextPageToken: sequence < 2 ? String(sequence) : "" };
      }),
    });
    const sequences: number[] = [];
    for (const order of ["asc", "desc"] as const)
      for await (const { sequence } of client.events("x", { order })) sequences.push(sequence);
    expect(sequences).to.deep.equal([1, 2, 1, 2]);
    expect(asked.map((pair) => pair.join(" "))).to.deep.equal([
      ...["sequence ", "sequence 1", "sequence desc ", "sequence desc 1"],
    ]);
  });

  describe("retry", () => {
    let asked: (number | undefined)[];

    /** A service that is away for the first call. */
    beforeEach(async () => {
      asked = [];
      await restart({
        retryTask: unary(RetryTaskRequest, Task, ({ id, sequence }) => {
          asked.push(sequence);
          if (asked.length === 1) throw unavailable;
          return Task.fromPartial({ id });
        }),
      });
    });

    it("is tried again with a sequence, which keeps it from opening the task twice", async () => {
      expect(await client.retry("x", { sequence: 7 })).to.include({ id: "x" });
      expect(asked).to.deep.equal([7, 7]);
    });

    it("is tried again with the sequence 0 as well", async () => {
      await client.retry("x", { sequence: 0 });
      expect(asked).to.deep.equal([0, 0]);
    });

    it("is tried once without a sequence", async () => {
      expect(await rejectionOf(client.retry("x"))).to.include({ code: "UNAVAILABLE" });
      expect(asked).to.deep.equal([undefined]);
    });
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
