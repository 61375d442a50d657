import { expect } from "chai";
import { deferred, type Deferred } from "#libs/async/deferred.js";
import { TaskwireError } from "#libs/errors/taskwire-error.js";
import { Task } from "#libs/proto/gen/taskwire/v1/task.js";
import {
  CreateTaskRequest,
  TaskServiceService,
  WatchTaskRequest,
  WatchTaskResponse,
} from "#libs/proto/gen/taskwire/v1/task_service.js";
import { Channel } from "#libs/rpc/channel.js";
import { serverStream, unary } from "#libs/rpc/service-definition.js";
import type { StreamCall } from "#libs/rpc/stream-call.js";
import { rejectionOf } from "#test/support/rejection-of.js";
import { until } from "#test/support/until.js";
import { ToyTaskService } from "#test/unit/libs/rpc/toy-task-service.js";

const watchTask = { path: TaskServiceService.watchTask.path, request: WatchTaskRequest, response: WatchTaskResponse };
const createTask = { path: TaskServiceService.createTask.path, request: CreateTaskRequest, response: Task };
const request = WatchTaskRequest.fromPartial({ id: "x" });
const frame = WatchTaskResponse.encode(
  WatchTaskResponse.fromPartial({ snapshot: { description: "x".repeat(1000) } }),
).finish();

describe("rpc streams", () => {
  let toy: ToyTaskService;
  let channel: Channel;
  let opened: Deferred<StreamCall<WatchTaskResponse>>;
  let answer: Deferred<Task>;

  beforeEach(async () => {
    opened = deferred();
    answer = deferred();
    toy = await new ToyTaskService({
      watchTask: serverStream(WatchTaskRequest, WatchTaskResponse, ({ id }, call) => {
        if (id === "throw") throw new TaskwireError({ code: "NOT_FOUND", reason: "TASK_NOT_FOUND", message: "no" });
        call.sendHeaders();
        opened.resolve(call);
      }),
      createTask: unary(CreateTaskRequest, Task, () => answer.promise),
    }).start();
    channel = new Channel({ address: toy.address });
  });

  afterEach(async () => {
    channel.close();
    await toy.server.stop(0);
  });

  it("delivers messages, encoded or not, and ends with OK", async () => {
    const frames = channel.serverStream(watchTask, request);
    const first = frames.next();
    const call = await opened.promise;
    call.write(frame);
    call.write(WatchTaskResponse.fromPartial({ heartbeat: { revision: 7 } }));
    call.end();
    expect((await first).value).to.have.nested.property("snapshot.description");
    expect((await frames.next()).value).to.have.nested.property("heartbeat.revision", 7);
    expect((await frames.next()).done).to.equal(true);
    expect(call.write(frame)).to.equal(false);
  });

  it("fails with what the handler throws", async () => {
    const error = await rejectionOf(channel.serverStream(watchTask, { ...request, id: "throw" }).next());
    expect(error).to.include({ code: "NOT_FOUND", reason: "TASK_NOT_FOUND" });
  });

  it("delivers what was written before it fails", async () => {
    const frames = channel.serverStream(watchTask, request);
    const first = frames.next();
    const call = await opened.promise;
    call.write(frame);
    call.fail(new TaskwireError({ code: "OUT_OF_RANGE", reason: "CURSOR_AHEAD", message: "ahead" }));
    expect((await first).done).to.equal(false);
    expect(await rejectionOf(frames.next())).to.include({ code: "OUT_OF_RANGE", reason: "CURSOR_AHEAD" });
  });

  it("tells the server once that the client has gone, and never drains afterwards", async () => {
    const abort = new AbortController();
    const first = channel.serverStream(watchTask, request, { signal: abort.signal }).next();
    const call = await opened.promise;
    let closed = 0;
    let drained = 0;
    call.onClosed(() => (closed += 1));
    call.onDrain(() => (drained += 1));
    const { signal } = call;
    abort.abort(new Error("left"));
    expect(await rejectionOf(first)).to.have.property("message", "left");
    await until("the server hears that the client has gone", () => closed > 0);
    expect(signal.aborted).to.equal(true);
    expect(call.ended).to.equal(true);
    expect(call.write(frame)).to.equal(false);
    expect({ closed, drained }).to.deep.equal({ closed: 1, drained: 0 });
    let late = 0;
    call.onClosed(() => (late += 1));
    expect(late).to.equal(1);
    expect(toy.server.openStreamCount).to.equal(0);
  });

  it("cancels the call when the reader leaves its loop", async () => {
    const reading = (async () => {
      for await (const { snapshot } of channel.serverStream(watchTask, request)) if (snapshot !== undefined) break;
    })();
    const call = await opened.promise;
    call.write(frame);
    await reading;
    await until("the server hears that the client has gone", () => call.ended);
  });

  it("holds no more for a client that does not read than it must, and goes on when it reads", async () => {
    const frames = channel.serverStream(watchTask, request);
    const first = frames.next();
    const call = await opened.promise;
    let written = 0;
    const fill = () => {
      while (written < 20_000) {
        written += 1;
        if (!call.write(frame)) return;
      }
      call.end();
    };
    call.onDrain(fill);
    fill();
    await first;
    let before = -1;
    await until("the stream stands still", () => {
      const still = before === written;
      before = written;
      return still;
    });
    expect(written).to.be.below(2000);
    expect(call.buffered).to.be.at.most(17);
    let read = 1;
    for await (const { snapshot } of frames) read += snapshot === undefined ? 0 : 1;
    expect(read).to.equal(20_000);
  });

  it("ends streams with UNAVAILABLE when it stops, lets unary calls finish, and takes no new ones", async () => {
    const first = channel.serverStream(watchTask, request).next();
    const created = channel.unary(createTask, CreateTaskRequest.fromPartial({}));
    const call = await opened.promise;
    let stopped = false;
    const stopping = toy.server.stop(10_000).then(() => (stopped = true));
    expect(await rejectionOf(first)).to.include({ code: "UNAVAILABLE", reason: "SERVICE_STOPPING" });
    expect(call.ended).to.equal(true);
    expect(stopped).to.equal(false);
    answer.resolve(Task.fromPartial({ id: "finished" }));
    expect(await created).to.include({ id: "finished" });
    await stopping;
    expect(await rejectionOf(channel.unary(createTask, CreateTaskRequest.fromPartial({})))).to.include({
      code: "UNAVAILABLE",
    });
  });

  it("cuts what is left after the grace period", async () => {
    const created = channel.unary(createTask, CreateTaskRequest.fromPartial({}));
    const stream = channel.serverStream(watchTask, request).next();
    await opened.promise;
    await Promise.all([rejectionOf(stream), toy.server.stop(50), rejectionOf(created)]);
  });
});
