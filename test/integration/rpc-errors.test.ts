import { expect } from "chai";
import { TaskwireError } from "#libs/errors/taskwire-error.js";
import { GetTaskRequest } from "#libs/proto/gen/taskwire/v1/task_service.js";
import { CreateTaskRequest, TaskServiceService } from "#libs/proto/gen/taskwire/v1/task_service.js";
import { Task } from "#libs/proto/gen/taskwire/v1/task.js";
import { Channel } from "#libs/rpc/channel.js";
import { unary } from "#libs/rpc/service-definition.js";
import { rejectionOf } from "#test/support/rejection-of.js";
import { ToyTaskService } from "#test/unit/libs/rpc/toy-task-service.js";

const createTask = { path: TaskServiceService.createTask.path, request: CreateTaskRequest, response: Task };
const getTask = { path: TaskServiceService.getTask.path, request: GetTaskRequest, response: Task };

async function failureOf(promise: Promise<unknown>): Promise<TaskwireError> {
  const error = await rejectionOf(promise);
  if (error instanceof TaskwireError) return error;
  throw error;
}

describe("rpc errors", () => {
  let toy: ToyTaskService;
  let channel: Channel;
  let context: { signal: AbortSignal; deadlineMs: number } | undefined;

  beforeEach(async () => {
    toy = await new ToyTaskService({
      getTask: unary(GetTaskRequest, Task, async ({ id }, call) => {
        if (id === "throw") throw new Error("secret");
        if (id === "unsendable") return Task.fromPartial({ createTime: new Date(Number.NaN) });
        if (id === "encoded") return Task.encode(Task.fromPartial({ id: "sent as bytes" })).finish();
        context = { signal: call.signal, deadlineMs: call.deadlineMs };
        return new Promise<Task>(() => undefined);
      }),
    }).start();
    channel = new Channel({ address: toy.address });
  });

  afterEach(async () => {
    channel.close();
    await toy.server.stop(0);
  });

  it("refuses invalid UTF-8 and names the fields", async () => {
    const request = CreateTaskRequest.encode(CreateTaskRequest.fromPartial({ task: { type: "a\u0001" } })).finish();
    const error = await failureOf(channel.unary(createTask, Buffer.from(request).fill(0xff, request.length - 1)));
    expect(error).to.include({ code: "INVALID_ARGUMENT", reason: "INVALID_FIELDS" });
    expect(error.violations).to.deep.equal([{ field: "task.type", description: "must be valid UTF-8" }]);
    expect(toy.tasks.size).to.equal(0);
  });

  it("refuses bytes that are no message", async () => {
    const error = await failureOf(channel.unary(createTask, Buffer.from([0x0a, 0xff, 0x01])));
    expect(error).to.include({ code: "INVALID_ARGUMENT", reason: "MALFORMED_MESSAGE" });
    expect(error.violations.map(({ field }) => field)).to.deep.equal([""]);
  });

  it("refuses a message of 5 MB and goes on serving", async () => {
    const task = { type: "a", payload: { text: "x".repeat(5_000_000) } };
    const error = await failureOf(channel.unary(createTask, CreateTaskRequest.fromPartial({ task })));
    expect(error).to.include({ code: "RESOURCE_EXHAUSTED", reason: "MESSAGE_TOO_LARGE" });
    expect(await channel.unary(createTask, CreateTaskRequest.fromPartial({ task: { type: "a" } }))).to.include({
      type: "a",
    });
    expect(toy.tasks.size).to.equal(1);
  });

  it("answers an unknown method and an unknown service with UNIMPLEMENTED and details", async () => {
    for (const path of ["/taskwire.v1.TaskService/Nothing", "/no.such.Service/Method"]) {
      const error = await failureOf(channel.unary({ ...getTask, path }, { id: "", view: 0 }));
      expect(error).to.include({ code: "UNIMPLEMENTED", reason: "UNKNOWN_METHOD" });
      expect(error.metadata).to.deep.equal({ method: path });
    }
  });

  it("hides unexpected errors", async () => {
    const error = await failureOf(channel.unary(getTask, { id: "throw", view: 0 }));
    expect(error).to.include({ code: "INTERNAL", reason: "INTERNAL", message: "internal error" });
    expect(error.metadata).to.have.property("call_id");
  });

  it("answers INTERNAL when a response cannot be encoded", async () => {
    const error = await failureOf(channel.unary(getTask, { id: "unsendable", view: 0 }));
    expect(error).to.include({ code: "INTERNAL", reason: "INTERNAL" });
  });

  it("sends a response that is encoded already", async () => {
    expect(await channel.unary(getTask, { id: "encoded", view: 0 })).to.include({ id: "sent as bytes" });
  });

  it("ends a call at its deadline and fires the handler's signal", async () => {
    const error = await failureOf(channel.unary(getTask, { id: "wait", view: 0 }, { timeoutMs: 100 }));
    expect(error.code).to.equal("DEADLINE_EXCEEDED");
    expect(context?.deadlineMs).to.be.closeTo(Date.now(), 5000);
    const signal = context?.signal;
    if (signal?.aborted === false) await new Promise((resolve) => signal.addEventListener("abort", resolve));
    expect(signal?.reason).to.be.instanceOf(TaskwireError);
  });

  it("gives up with the reason of the client's signal", async () => {
    const reason = new Error("enough");
    expect(
      await rejectionOf(channel.unary(getTask, { id: "wait", view: 0 }, { signal: AbortSignal.abort(reason) })),
    ).to.equal(reason);
  });

  it("says what to do when the port is taken", async () => {
    const error = await failureOf(new ToyTaskService().start(toy.port));
    expect(error).to.include({ code: "FAILED_PRECONDITION", reason: "ADDRESS_IN_USE" });
    expect(error.message).to.contain(String(toy.port)).and.to.contain("choose another port");
  });

  it("says which address cannot be reached", async () => {
    await toy.server.stop(0);
    const error = await failureOf(channel.unary(getTask, { id: "wait", view: 0 }));
    expect(error).to.include({ code: "UNAVAILABLE" });
    expect(error.message).to.contain(toy.address);
  });
});
