import { expect } from "chai";
import { watchTask } from "#libs/client/service-methods.js";
import { TaskState } from "#libs/client/taskwire-client.js";
import type { WatchTaskRequest, WatchTaskResponse } from "#libs/proto/gen/taskwire/v1/task_service.js";
import { Channel } from "#libs/rpc/channel.js";
import { fixturePath } from "#test/fixtures/tasks/fixture-path.js";
import { eventOf, expectWholeHistory, historyOf, kindsOf, valuesOf } from "#test/support/follow-task.js";
import { Gate } from "#test/support/gate.js";
import { rejectionOf } from "#test/support/rejection-of.js";
import { startTestStack, type TestStack } from "#test/support/test-stack.js";

describe("From create to watch", function () {
  this.timeout(60_000);
  let test: TestStack;
  let channel: Channel;
  /** A task that has counted to five. */
  let finished: string;

  before(async () => {
    test = await startTestStack({
      workerArgs: ["--tasks", fixturePath("flow-tasks.js")],
      workerEnv: { TASKWIRE_PROGRESS_INTERVAL_MS: "0" },
      serviceEnv: { TASKWIRE_WATCH_HEARTBEAT_MS: "100" },
    });
    channel = new Channel({ address: test.address });
  });
  after(async () => {
    channel?.close();
    await test?.stop();
  });

  /** Everything a watch stream says; returns only when it ends with OK. */
  async function watched(request: Partial<WatchTaskRequest>): Promise<WatchTaskResponse[]> {
    const frames: WatchTaskResponse[] = [];
    const signal = AbortSignal.timeout(20_000);
    for await (const frame of channel.serverStream(watchTask, watchOf(request), { signal })) frames.push(frame);
    return frames;
  }

  it("runs a task and tells every event of it, in order, without a gap", async () => {
    const { client } = test;
    const created = await client.create("flow.count", { to: 5 }, { labels: { story: "whole" }, priority: 7 });
    expect(created).to.include({ type: "flow.count", queue: "default", state: TaskState.PENDING, sequence: 1 });
    finished = created.id;
    const events = await historyOf(client, finished);
    expectWholeHistory(events);
    expect(kindsOf(events)).to.deep.equal(["created", "started", ...Array<string>(5).fill("progress"), "completed"]);
    expect(valuesOf(events, "progress").map(({ current }) => current)).to.deep.equal([1, 2, 3, 4, 5]);
    expect(valuesOf(events, "completed")[0]?.result).to.deep.equal({ counted: 5 });

    const task = await client.get(finished);
    expect(task).to.deep.include({
      state: TaskState.COMPLETED,
      result: { counted: 5 },
      payload: { to: 5 },
      attempt: 1,
    });
    expect(task).to.deep.include({
      labels: { story: "whole" },
      priority: 7,
      sequence: events.length,
      error: undefined,
    });
    expect(task.progress).to.include({ current: 5, total: 5, message: "counted to 5" });
    expect(task.workerId).to.equal(valuesOf(events, "started")[0]?.workerId);
  });

  it("replays the whole history of a finished task to a watch from 0, from the middle only what comes after", async () => {
    const all = (await watched({ id: finished, afterSequence: 0 })).flatMap(({ events }) => events);
    expectWholeHistory(all);
    expect(all).to.have.lengthOf(8);
    const rest = (await watched({ id: finished, afterSequence: 3 })).flatMap(({ events }) => events);
    expect(rest).to.deep.equal(all.slice(3));
  });

  it("gives a watch without a cursor a snapshot first, then only later events", async () => {
    const { client } = test;
    const gate = new Gate(test.dataDir, "snapshot");
    const { id } = await client.create("flow.gate", gate.payload);
    await eventOf(client, id, "progress");
    const frames: WatchTaskResponse[] = [];
    for await (const frame of channel.serverStream(watchTask, watchOf({ id }))) {
      if (frames.push(frame) === 1) gate.open();
    }
    const snapshot = frames[0]?.snapshot;
    expect(snapshot).to.include({ id, state: TaskState.RUNNING, sequence: 3, payload: undefined });
    const events = frames.slice(1).flatMap((frame) => frame.events);
    expect(kindsOf(events)).to.deep.equal(["completed"]);
    expect(events[0]?.sequence).to.equal(4);
  });

  it("ends the watch of a finished task at once with OK (Terminal)", async () => {
    const frames = await watched({ id: finished });
    expect(frames).to.have.lengthOf(1);
    expect(frames[0]?.snapshot).to.include({ id: finished, state: TaskState.COMPLETED });
    expect(await watched({ id: finished, afterSequence: 8 })).to.deep.equal([]);
  });

  it("refuses a cursor ahead of the history (Honest), a negative one, and an unknown task", async () => {
    const ahead = await rejectionOf(watched({ id: finished, afterSequence: 9 }));
    expect(ahead).to.include({ code: "OUT_OF_RANGE", reason: "CURSOR_AHEAD" });
    const negative = await rejectionOf(watched({ id: finished, afterSequence: -1 }));
    expect(negative).to.include({ code: "INVALID_ARGUMENT" });
    const unknown = "0199aaaa-0000-7000-8000-000000000001";
    for (const afterSequence of [undefined, 0]) {
      expect(await rejectionOf(watched({ id: unknown, afterSequence }))).to.include({ code: "NOT_FOUND" });
    }
    expect(await rejectionOf(test.client.get(unknown))).to.include({ code: "NOT_FOUND", reason: "TASK_NOT_FOUND" });
  });

  it("proves an idle stream alive with heartbeats (Bookmarkable)", async () => {
    const { client } = test;
    const gate = new Gate(test.dataDir, "heartbeat");
    const { id } = await client.create("flow.gate", gate.payload);
    const { event } = await eventOf(client, id, "progress");
    const beats: number[] = [];
    for await (const { heartbeat, events } of channel.serverStream(watchTask, watchOf({ id, afterSequence: 0 }))) {
      if (heartbeat === undefined) continue;
      expect(events).to.deep.equal([]);
      expect(heartbeat.sequence).to.equal(event.sequence);
      expect(heartbeat.revision).to.be.at.least(event.revision);
      if (beats.push(heartbeat.revision) === 3) gate.open();
    }
    expect(beats).to.have.lengthOf.at.least(3);
  });

  it("gives many watchers of one task the same events", async () => {
    const { client } = test;
    const { id } = await client.create("flow.count", { to: 5 });
    const histories = await Promise.all(Array.from({ length: 20 }, () => historyOf(client, id)));
    for (const history of histories) expect(history).to.deep.equal(histories[0]);
    expectWholeHistory(histories[0] ?? []);
  });

  it("forgets a watcher that goes away, and goes on telling the others", async () => {
    const { client } = test;
    const gate = new Gate(test.dataDir, "leaver");
    const { id } = await client.create("flow.gate", gate.payload);
    const stays = historyOf(client, id);
    await eventOf(client, id, "progress");
    gate.open();
    expectWholeHistory(await stays);
  });
});

function watchOf(request: Partial<WatchTaskRequest>): WatchTaskRequest {
  return { id: "", afterSequence: undefined, view: 0, ...request };
}
