import { BinaryWriter } from "@bufbuild/protobuf/wire";
import { expect } from "chai";
import {
  BatchCreateTasksRequest,
  CreateTaskRequest,
  TaskServiceService,
} from "#libs/proto/gen/taskwire/v1/task_service.js";
import { MalformedRequest } from "#libs/rpc/malformed-request.js";
import { decodeStrictly } from "#libs/rpc/message-codec.js";

/** Encodes a request and makes every `~` in it a byte that is no UTF-8. */
function broken(bytes: Uint8Array): Uint8Array {
  return bytes.map((byte) => (byte === 0x7e ? 0xff : byte));
}

function fieldsOf(path: string, bytes: Uint8Array): string[] {
  return new MalformedRequest(path, bytes, new Error("no")).error.violations.map(({ field }) => field);
}

const create = TaskServiceService.createTask.path;

describe("MalformedRequest", () => {
  it("names every text that is not UTF-8, in proto names", () => {
    const request = CreateTaskRequest.fromPartial({
      requestId: "r~",
      task: { type: "t~", workerId: "w~", queue: "fine", labels: { good: "v~" } },
    });
    const bytes = broken(CreateTaskRequest.encode(request).finish());
    expect(() => decodeStrictly(CreateTaskRequest, bytes)).to.throw();
    expect(fieldsOf(create, bytes)).to.have.members([
      "request_id",
      "task.type",
      "task.worker_id",
      'task.labels["good"]',
    ]);
  });

  it("names members of lists and places inside JSON", () => {
    const request = BatchCreateTasksRequest.fromPartial({
      requests: [{ task: { type: "a" } }, { task: { payload: { list: ["x", { deep: "y~" }] } } }],
    });
    const bytes = broken(BatchCreateTasksRequest.encode(request).finish());
    expect(fieldsOf(TaskServiceService.batchCreateTasks.path, bytes)).to.deep.equal([
      'requests[1].task.payload["list"][1]["deep"]',
    ]);
  });

  it("names JSON that is nested too deeply", () => {
    let payload: Record<string, unknown> = {};
    for (let level = 0; level < 60; level += 1) payload = { a: payload };
    const bytes = CreateTaskRequest.encode(CreateTaskRequest.fromPartial({ task: { payload } })).finish();
    expect(() => decodeStrictly(CreateTaskRequest, bytes)).to.throw();
    expect(fieldsOf(create, bytes)).to.deep.equal(["task.payload"]);
  });

  it("names whole numbers that JavaScript cannot hold", () => {
    const writer = new BinaryWriter()
      .uint32(10)
      .string("x")
      .uint32(16)
      .int64(2n ** 60n);
    expect(fieldsOf(TaskServiceService.watchTask.path, writer.finish())).to.deep.equal(["after_sequence"]);
  });

  it("says so when the bytes are no message", () => {
    const { error } = new MalformedRequest(create, Buffer.from([0x0a, 0xff]), new RangeError("premature EOF"));
    expect(error).to.include({ code: "INVALID_ARGUMENT", reason: "MALFORMED_MESSAGE" });
    expect(error.violations).to.have.lengthOf(1);
    expect(error.violations[0]?.field).to.equal("");
  });
});
