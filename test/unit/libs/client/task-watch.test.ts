import { expect } from "chai";
import {
  TaskCancelledError,
  TaskFailedError,
  TaskState,
  TaskwireClient,
  type WatchFrame,
} from "#libs/client/taskwire-client.js";
import { TaskwireError } from "#libs/errors/taskwire-error.js";
import { Task } from "#libs/proto/gen/taskwire/v1/task.js";
import { TaskEvent } from "#libs/proto/gen/taskwire/v1/task_event.js";
import {
  GetTaskRequest,
  RunTaskRequest,
  RunTaskResponse,
  WatchTaskRequest,
  WatchTaskResponse,
} from "#libs/proto/gen/taskwire/v1/task_service.js";
import { serverStream, unary } from "#libs/rpc/service-definition.js";
import type { StreamCall } from "#libs/rpc/stream-call.js";
import { rejectionOf } from "#test/support/rejection-of.js";
import { ToyTaskService } from "#test/unit/libs/rpc/toy-task-service.js";

type Call = StreamCall<WatchTaskResponse>;

const unavailable = new TaskwireError({ code: "UNAVAILABLE", reason: "SERVICE_STOPPING", message: "stops" });
const event = (sequence: number, kind?: TaskEvent["kind"]): TaskEvent => ({
  ...TaskEvent.fromPartial({ sequence }),
  kind,
});
const completed = (sequence: number, result: unknown, resultOmitted = false) =>
  event(sequence, { $case: "completed", value: { result, resultOmitted, warnings: [] } });
const failed = (sequence: number) => event(sequence, { $case: "failed", value: { error: undefined } });
const cancelled = (sequence: number) => event(sequence, { $case: "cancelled", value: { phase: 1, reason: "" } });
const reopened = (sequence: number) => event(sequence, { $case: "reopened", value: { runTime: undefined } });
const frame = (...events: TaskEvent[]): WatchTaskResponse => ({ snapshot: undefined, events, heartbeat: undefined });
const snapshot = (task: Partial<Task>): WatchTaskResponse => ({ ...frame(), snapshot: Task.fromPartial(task) });
/** Writes the last frame of a task, and ends as the service does. */
const finish = (call: Call, last: WatchTaskResponse) => {
  call.write(last);
  call.end();
};
const heartbeat: WatchTaskResponse = { ...frame(), heartbeat: { revision: 1, sequence: 1 } };

describe("TaskWatch", () => {
  let toy: ToyTaskService;
  let client: TaskwireClient;
  let cursors: (number | undefined)[];
  let requestIds: Set<string>;
  let task: Task;

  /** Starts a service whose n-th watch is answered by the n-th script. */
  async function start(...scripts: ((call: Call) => void)[]): Promise<void> {
    toy = await new ToyTaskService({
      getTask: unary(GetTaskRequest, Task, () => task),
      watchTask: serverStream(WatchTaskRequest, WatchTaskResponse, ({ afterSequence }, call) => {
        cursors.push(afterSequence);
        const script = scripts[cursors.length - 1];
        if (script === undefined)
          throw new TaskwireError({ code: "ABORTED", reason: "TOO_OFTEN", message: "one watch too many" });
        script(call);
      }),
      runTask: serverStream(RunTaskRequest, RunTaskResponse, (request, call) => {
        cursors.push(request.afterSequence);
        requestIds.add(request.requestId);
        call.write({ ...frame(), task: toy.create(request) });
        scripts[cursors.length - 1]?.(call as StreamCall<Partial<RunTaskResponse & WatchTaskResponse>>);
      }),
    }).start();
    client = new TaskwireClient({ address: toy.address });
  }

  beforeEach(() => {
    cursors = [];
    requestIds = new Set();
    task = Task.fromPartial({ id: "x" });
  });

  afterEach(async () => {
    client.close();
    await toy.server.stop(0);
  });

  async function sequences(options: Parameters<TaskwireClient["watch"]>[1] = {}): Promise<string[]> {
    const seen: string[] = [];
    for await (const each of client.watch("x", options)) seen.push(label(each));
    return seen;
  }

  const label = (each: WatchFrame) =>
    each.kind === "snapshot" ? `snapshot ${each.task.sequence}` : String(each.event.sequence);

  it("gives the snapshot and then each event up to the terminal one", async () => {
    await start((call) => {
      call.write(snapshot({ sequence: 2, state: TaskState.RUNNING }));
      call.write(heartbeat);
      call.write(frame(event(3), event(4)));
      finish(call, frame(completed(5, 1)));
    });
    expect(await sequences()).to.deep.equal(["snapshot 2", "3", "4", "5"]);
    expect(cursors).to.deep.equal([undefined]);
  });

  it("ends after the snapshot of a finished task", async () => {
    await start((call) => finish(call, snapshot({ sequence: 9, state: TaskState.FAILED })));
    expect(await sequences()).to.deep.equal(["snapshot 9"]);
  });

  it("resumes after the last event it gave, through UNAVAILABLE, and gives nothing twice", async () => {
    await start(
      (call) => {
        call.write(frame(event(1), event(2)));
        call.fail(unavailable);
      },
      (call) => call.fail(unavailable),
      (call) => {
        call.write(frame(event(2), event(3)));
        call.fail(unavailable);
      },
      (call) => finish(call, frame(completed(4, 1))),
    );
    expect(await sequences({ afterSequence: 0 })).to.deep.equal(["1", "2", "3", "4"]);
    expect(cursors).to.deep.equal([0, 2, 2, 3]);
  });

  it("ends after the task has completed even if the service does not", async () => {
    await start((call) => void call.write(frame(completed(1, 1))));
    expect(await sequences({ afterSequence: 0 })).to.deep.equal(["1"]);
  });

  it("goes on after a terminal event of a task that was opened again, to the latest one", async () => {
    await start((call) => {
      call.write(frame(event(1), failed(2), reopened(3), cancelled(4)));
      call.write(frame(reopened(5), event(6)));
      finish(call, frame(completed(7, 1)));
    });
    expect(await sequences({ afterSequence: 0 })).to.deep.equal(["1", "2", "3", "4", "5", "6", "7"]);
    expect(cursors).to.deep.equal([0]);
  });

  it("asks again when the stream is cut after a terminal event, because the task may have been opened again", async () => {
    await start(
      (call) => {
        call.write(frame(event(1), failed(2)));
        call.fail(unavailable);
      },
      (call) => finish(call, frame(reopened(3), cancelled(4))),
    );
    expect(await sequences({ afterSequence: 0 })).to.deep.equal(["1", "2", "3", "4"]);
    expect(cursors).to.deep.equal([0, 2]);
  });

  it("asks again when the stream neither ends nor goes on after a terminal event", async () => {
    await start(
      (call) => void call.write(frame(failed(1))),
      (call) => call.end(),
    );
    expect(await sequences({ afterSequence: 0 })).to.deep.equal(["1"]);
    expect(cursors).to.deep.equal([0, 1]);
  });

  it("does not ask again when the stream is cut after the task has completed", async () => {
    await start((call) => {
      call.write(frame(completed(1, 1)));
      call.fail(unavailable);
    });
    expect(await sequences({ afterSequence: 0 })).to.deep.equal(["1"]);
  });

  it("throws the reason of its signal also while it waits for the end of the stream", async () => {
    const abort = new AbortController();
    await start((call) => {
      call.write(frame(failed(1)));
      setImmediate(() => abort.abort(new Error("enough")));
    });
    expect(await rejectionOf(sequences({ afterSequence: 0, signal: abort.signal }))).to.have.property(
      "message",
      "enough",
    );
  });

  it("resumes from the sequence of its snapshot", async () => {
    await start(
      (call) => {
        call.write(snapshot({ sequence: 7, state: TaskState.RUNNING }));
        call.fail(unavailable);
      },
      (call) => finish(call, frame(completed(8, 1))),
    );
    expect(await sequences()).to.deep.equal(["snapshot 7", "8"]);
    expect(cursors).to.deep.equal([undefined, 7]);
  });

  it("resumes on a service that was started anew on the same port", async () => {
    await start((call) => void call.write(frame(event(1))));
    const { port } = toy;
    const watch = client.watch("x", { afterSequence: 0 });
    expect((await watch.next()).value).to.have.nested.property("event.sequence", 1);
    const next = watch.next();
    await toy.server.stop(0);
    toy = await new ToyTaskService({
      watchTask: serverStream(WatchTaskRequest, WatchTaskResponse, ({ afterSequence }, call) => {
        cursors.push(afterSequence);
        finish(call, frame(completed(2, 1)));
      }),
    }).start(port);
    expect((await next).value).to.have.nested.property("event.sequence", 2);
    expect((await watch.next()).done).to.equal(true);
    expect(cursors).to.deep.equal([0, 1]);
  });

  it("reconnects when an event is missing, and gives up when it stays missing", async () => {
    const gap = (call: Call) => void call.write(frame(event(3)));
    await start((call) => void call.write(frame(event(1), event(3))), gap, gap);
    const watch = client.watch("x", { afterSequence: 0 });
    await watch.next();
    expect(await rejectionOf(watch.next())).to.include({ code: "DATA_LOSS", reason: "EVENT_GAP" });
    expect(cursors).to.deep.equal([0, 1, 1]);
  });

  it("throws what is no cut", async () => {
    await start((call) => call.fail(new TaskwireError({ code: "NOT_FOUND", reason: "TASK_NOT_FOUND", message: "no" })));
    expect(await rejectionOf(sequences())).to.include({ code: "NOT_FOUND", reason: "TASK_NOT_FOUND" });
    expect(cursors).to.have.lengthOf(1);
  });

  it("ends with OK when there is nothing after the cursor of a finished task", async () => {
    await start((call) => call.end());
    expect(await sequences({ afterSequence: 9 })).to.deep.equal([]);
  });

  it("gives up when the service is away for longer than allowed", async () => {
    await start();
    await toy.server.stop(0);
    expect(await rejectionOf(sequences({ maxOutageMs: 0 }))).to.include({ code: "UNAVAILABLE" });
  });

  it("throws the reason of its signal, also while it waits to reconnect", async () => {
    const abort = new AbortController();
    await start((call) => {
      call.fail(unavailable);
      call.onClosed(() => abort.abort(new Error("enough")));
    });
    expect(await rejectionOf(sequences({ signal: abort.signal }))).to.have.property("message", "enough");
  });

  it("runs a task and returns its result", async () => {
    await start((call) => finish(call, frame(event(2), completed(3, { n: 1 }))));
    const seen: number[] = [];
    const result = await client.run("a", {}, { onEvent: ({ sequence }) => seen.push(sequence) });
    expect(result).to.deep.equal({ n: 1 });
    expect(seen).to.deep.equal([2, 3]);
    expect(cursors).to.deep.equal([undefined]);
  });

  it("goes on with a run after a cut by the same call with the same request id", async () => {
    await start(
      (call) => call.fail(unavailable),
      (call) => {
        call.write(frame(event(2), event(3)));
        call.fail(unavailable);
      },
      (call) => finish(call, frame(event(3), completed(4, "done"))),
    );
    const seen: number[] = [];
    expect(await client.run("a", {}, { onEvent: ({ sequence }) => seen.push(sequence) })).to.equal("done");
    expect(seen).to.deep.equal([2, 3, 4]);
    expect(cursors).to.deep.equal([undefined, 1, 3]);
    expect(requestIds.size).to.equal(1);
    expect(toy.tasks.size).to.equal(1);
  });

  it("fetches a result that was too large for its event", async () => {
    await start((call) => finish(call, frame(completed(2, undefined, true))));
    task = Task.fromPartial({ state: TaskState.COMPLETED, result: "large" });
    expect(await client.run("a")).to.equal("large");
  });

  it("throws the task that failed or was cancelled", async () => {
    await start(
      (call) => finish(call, frame(failed(2))),
      (call) => finish(call, frame(cancelled(2))),
    );
    const error = { code: "HANDLER_ERROR", message: "broke", details: { line: 7 } };
    task = Task.fromPartial({ id: "x", state: TaskState.FAILED, attempt: 1, error });
    const failure = await rejectionOf(client.run("a"));
    expect(failure).to.be.instanceOf(TaskFailedError);
    expect(failure).to.deep.include({ code: "HANDLER_ERROR", details: { line: 7 } });
    expect(failure.message).to.contain("HANDLER_ERROR").and.to.contain("broke");
    task = Task.fromPartial({ id: "x", state: TaskState.CANCELLED });
    expect(await rejectionOf(client.run("a"))).to.be.instanceOf(TaskCancelledError);
  });
});
