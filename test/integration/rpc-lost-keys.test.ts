import { expect } from "chai";
import { TaskwireError } from "#libs/errors/taskwire-error.js";
import { Task } from "#libs/proto/gen/taskwire/v1/task.js";
import { CreateTaskRequest, TaskServiceService } from "#libs/proto/gen/taskwire/v1/task_service.js";
import { Channel } from "#libs/rpc/channel.js";
import { rejectionOf } from "#test/support/rejection-of.js";
import { ToyTaskService } from "#test/unit/libs/rpc/toy-task-service.js";

const createTask = { path: TaskServiceService.createTask.path, request: CreateTaskRequest, response: Task };

/** Encodes a request in which every `__prot0__` is `__proto__`, which no encoder here would write. */
function encoded(request: Parameters<typeof CreateTaskRequest.fromPartial>[0]): Buffer {
  const bytes = Buffer.from(CreateTaskRequest.encode(CreateTaskRequest.fromPartial(request)).finish());
  for (let at = bytes.indexOf("__prot0__"); at >= 0; at = bytes.indexOf("__prot0__")) bytes.write("__proto__", at);
  return bytes;
}

describe("A key that decoding would lose (Clear refusals)", () => {
  let service: ToyTaskService;
  let channel: Channel;

  before(async () => {
    service = await new ToyTaskService().start();
    channel = new Channel({ address: service.address });
  });

  after(async () => {
    channel.close();
    await service.server.stop(0);
  });

  it("is refused in payload and labels, and named", async () => {
    const request = encoded({ task: { type: "a", payload: { b: { __prot0__: 1 } }, labels: { __prot0__: "x" } } });
    const error = await rejectionOf(channel.unary(createTask, request));
    expect(error).to.be.instanceOf(TaskwireError);
    expect(error).to.include({ code: "INVALID_ARGUMENT", reason: "INVALID_FIELDS" });
    const fields = error instanceof TaskwireError ? error.violations.map(({ field }) => field) : [];
    expect(fields).to.have.members(['task.payload["b"]["__proto__"]', 'task.labels["__proto__"]']);
    expect(service.tasks.size).to.equal(0);
  });

  it("is welcome as a value", async () => {
    const task = await channel.unary(createTask, encoded({ task: { type: "a", payload: { b: "__prot0__" } } }));
    expect(task.payload).to.deep.equal({ b: "__proto__" });
  });
});
