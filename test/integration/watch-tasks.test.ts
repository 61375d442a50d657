import { expect } from "chai";
import { watchTasks } from "#libs/client/service-methods.js";
import {
  TaskState,
  TaskwireError,
  type TaskEvent,
  type TasksFrame,
  type WatchTasksOptions,
} from "#libs/client/taskwire-client.js";
import type { EventClass } from "#libs/proto/gen/taskwire/v1/task_service.js";
import { WatchTasksRequest } from "#libs/proto/gen/taskwire/v1/task_service.js";
import { Channel } from "#libs/rpc/channel.js";
import { fixturePath } from "#test/fixtures/tasks/fixture-path.js";
import { historyOf } from "#test/support/follow-task.js";
import { Gate } from "#test/support/gate.js";
import { rejectionOf } from "#test/support/rejection-of.js";
import { startTestStack, type TestStack } from "#test/support/test-stack.js";
import { TasksMirror } from "#test/support/tasks-mirror.js";

/** Nobody has this type, so its tasks wait. */
const NOBODYS = "nobody.home";

describe("WatchTasks follows many tasks over one cursor", function () {
  this.timeout(60_000);
  let test: TestStack;
  let channel: Channel;
  let names = 0;

  before(async () => {
    test = await startTestStack({
      workerArgs: ["--tasks", fixturePath("flow-tasks.js")],
      serviceEnv: { TASKWIRE_WATCH_HEARTBEAT_MS: "200" },
    });
    channel = new Channel({ address: test.address });
  });
  after(async () => {
    channel?.close();
    await test?.stop();
  });

  const freshLabels = () => ({ test: `watch-${++names}` });
  const filterOf = (labels: { test: string }) => `labels.test = "${labels.test}"`;

  /** Reads frames into a mirror until it says so. */
  async function mirror(options: WatchTasksOptions, isDone: (mirror: TasksMirror, frame: TasksFrame) => boolean) {
    const seen = new TasksMirror();
    const signal = AbortSignal.timeout(30_000);
    for await (const frame of test.client.watchTasks({ ...options, signal })) {
      seen.take(frame);
      if (isDone(seen, frame)) break;
    }
    return seen;
  }

  it("begins with a snapshot, says when it is complete, and goes on with what happens (Reliable)", async () => {
    const { client } = test;
    const labels = freshLabels();
    const waiting = await client.createMany(Array.from({ length: 250 }, () => ({ type: NOBODYS, labels })));
    const gate = new Gate(test.dataDir, "snapshot");
    const running = await client.create("flow.gate", gate.payload, { labels });
    let late = "";
    const seen = await mirror({ filter: filterOf(labels) }, (so, { syncedRevision }) => {
      if (syncedRevision !== undefined) {
        expect(so.tasks.size).to.equal(251);
        gate.open();
        void client.create("flow.count", { to: 1 }, { labels }).then(({ id }) => (late = id));
      }
      return late !== "" && [late, running.id].every((id) => so.tasks.get(id)?.state === TaskState.COMPLETED);
    });
    expect(seen.tasks.size).to.equal(252);
    expect([...seen.tasks.keys()]).to.include.members([...waiting.map(({ id }) => id), running.id, late]);
    for (const [id, { state, sequence }] of seen.tasks) {
      const task = await client.get(id);
      expect({ state, sequence }).to.deep.equal({ state: task.state, sequence: task.sequence });
    }
  });

  it("tells the whole log from revision 0 on, with type and queue (Ordered, Unique)", async () => {
    const { client } = test;
    const labels = freshLabels();
    const tasks = await client.createMany(
      Array.from({ length: 20 }, () => ({ type: "flow.count", payload: { to: 3 }, labels, queue: "default" })),
    );
    const ended = new Set<string>();
    const seen = await mirror({ filter: filterOf(labels), start: { afterRevision: 0 } }, (_, { changes }) => {
      for (const change of changes)
        if (change.kind === "event" && change.event.state === TaskState.COMPLETED) ended.add(change.event.taskId);
      return ended.size === tasks.length;
    });
    const histories = await Promise.all(tasks.map(({ id }) => historyOf(client, id)));
    const whole = histories.flat().sort((one, other) => one.revision - other.revision);
    expect(seen.everythingIn(whole)).to.deep.equal(whole);
    for (const { type, queue } of seen.events)
      expect({ type, queue }).to.deep.equal({ type: "flow.count", queue: "default" });
  });

  it("tells of tasks that leave the filter (Unselected)", async () => {
    const { client } = test;
    const labels = freshLabels();
    const gate = new Gate(test.dataDir, "unselected");
    const { id } = await client.create("flow.gate", gate.payload, { labels });
    const filter = `${filterOf(labels)} AND state = RUNNING`;
    const seen = await mirror({ filter, start: "now", classes: ["states"] }, (so) => {
      if (so.events.length > 0 || so.bookmarks.length > 0) gate.open();
      return so.unselected.length > 0;
    });
    const history = await historyOf(client, id);
    const end = history.at(-1);
    expect(seen.unselected).to.deep.equal([
      { revision: end?.revision, taskId: id, sequence: end?.sequence, state: TaskState.COMPLETED },
    ]);
    expect(seen.tasks.has(id)).to.equal(false);
    // From the log in the database it looks the same.
    const again = await mirror({ filter, start: { afterRevision: 0 } }, (so) => so.unselected.length > 0);
    expect(again.unselected).to.deep.equal(seen.unselected);
    expect(again.events.map(({ kind }) => kind?.$case)).to.deep.equal(["started", "progress"]);
  });

  it("sends the classes of events that were asked for", async () => {
    const { client } = test;
    const labels = freshLabels();
    const { id } = await client.create("flow.count", { to: 2 }, { labels });
    const history = await historyOf(client, id);
    const kindsOf = (events: readonly TaskEvent[]) => events.map(({ kind }) => kind?.$case);
    const caughtUp = (_: TasksMirror, { bookmarkRevision }: TasksFrame) => bookmarkRevision !== undefined;
    const filter = filterOf(labels);
    const states = await mirror({ filter, start: { afterRevision: 0 }, classes: ["states"] }, caughtUp);
    expect(kindsOf(states.events)).to.deep.equal(["created", "started", "completed"]);
    const progress = await mirror({ filter, start: { afterRevision: 0 }, classes: ["progress"] }, caughtUp);
    const told = [...progress.events.map(({ revision }) => revision), ...progress.lagged].sort((a, b) => a - b);
    expect(told).to.deep.equal(
      history.filter(({ kind }) => kind?.$case === "progress").map(({ revision }) => revision),
    );
  });

  it("goes on exactly where a token says, also within a snapshot (Resumable)", async () => {
    const { client } = test;
    const labels = freshLabels();
    const filter = filterOf(labels);
    await client.createMany(Array.from({ length: 350 }, () => ({ type: NOBODYS, labels })));
    const cut = await mirror({ filter }, () => true);
    expect(cut.tasks.size).to.equal(100);
    await client.createMany(Array.from({ length: 10 }, () => ({ type: NOBODYS, labels })));
    const [first = ""] = cut.tasks.keys();
    await client.cancel(first);
    for await (const frame of client.watchTasks({ filter, start: { resumeToken: cut.resumeToken } })) {
      cut.take(frame);
      if (frame.syncedRevision !== undefined) break;
    }
    expect(cut.tasks.size).to.equal(360);
    expect(cut.tasks.get(first)?.state).to.equal(TaskState.CANCELLED);
  });

  it("proves with bookmarks that nothing has happened (Bookmarkable)", async () => {
    const { client } = test;
    const labels = freshLabels();
    const seen = await mirror({ filter: filterOf(labels), start: "now" }, (so) => {
      // Others' tasks move the log, and the bookmark with it.
      if (so.bookmarks.length === 2) void client.create(NOBODYS);
      return so.bookmarks.length >= 2 && (so.bookmarks.at(-1) ?? 0) > (so.bookmarks[0] ?? 0);
    });
    expect(seen.events).to.deep.equal([]);
  });

  it("follows tasks by their ids, live and from the log", async () => {
    const { client } = test;
    const tasks = await client.createMany(
      Array.from({ length: 6 }, () => ({ type: "flow.count", payload: { to: 1 } })),
    );
    const [one, other] = tasks.map(({ id }) => id);
    const filter = `id = "${one}" OR id = "${other}"`;
    const isOver = (so: TasksMirror) =>
      [one, other].every((id = "") => so.tasks.get(id)?.state === TaskState.COMPLETED);
    const live = await mirror({ filter, start: { afterRevision: 0 } }, isOver);
    const again = await mirror({ filter, start: { afterRevision: 0 } }, isOver);
    const whole = (await Promise.all([one, other].map((id = "") => historyOf(client, id)))).flat();
    whole.sort((a, b) => a.revision - b.revision);
    for (const seen of [live, again]) expect(seen.everythingIn(whole)).to.deep.equal(whole);
  });

  it("waits for one task or many over few streams", async () => {
    const { client } = test;
    const one = await client.create("flow.count", { to: 1 });
    expect(await client.waitFor(one.id)).to.deep.include({ id: one.id, result: { counted: 1 } });
    const many = await client.createMany(Array.from({ length: 450 }, () => ({ type: NOBODYS })));
    const ids = many.map(({ id }) => id);
    const waiting = client.waitFor(ids);
    await Promise.all(ids.map((id) => client.cancel(id)));
    expect((await waiting).map(({ id, state }) => [id, state])).to.deep.equal(
      ids.map((id) => [id, TaskState.CANCELLED]),
    );
    const unknown = "0199aaaa-0000-7000-8000-000000000001";
    for (const asked of [unknown, [one.id, unknown]])
      expect(await rejectionOf(client.waitFor(asked as string[]))).to.include({ code: "NOT_FOUND" });
    expect(await client.waitFor([])).to.deep.equal([]);
  });

  describe("refuses", () => {
    const ask = async (request: Partial<WatchTasksRequest>) => {
      for await (const frame of channel.serverStream(watchTasks, WatchTasksRequest.create(request))) return frame;
      return undefined;
    };
    const refusalOf = async (request: Partial<WatchTasksRequest>) => {
      const refusal = await rejectionOf(ask(request));
      if (refusal instanceof TaskwireError) return refusal;
      throw refusal;
    };
    const tokenOf = async (filter: string) =>
      (await ask({ filter, start: { $case: "fromNow", value: true } }))?.resumeToken ?? "";

    it("everything that is wrong at once (Clear refusals)", async () => {
      const refusal = await refusalOf({
        filter: "end_time:*",
        classes: [0, 9 as EventClass],
        start: { $case: "afterRevision", value: -1 },
      });
      expect(refusal).to.include({ code: "INVALID_ARGUMENT", reason: "INVALID_FIELDS" });
      expect(refusal.violations.map(({ field }) => field)).to.have.members([
        "filter",
        "classes[0]",
        "classes[1]",
        "after_revision",
      ]);
    });

    it("a token of another filter, and takes one of the same filter in other words", async () => {
      const resumeToken = await tokenOf("queue = default AND state = RUNNING");
      const start = { $case: "resumeToken", value: resumeToken } as const;
      const refusal = await refusalOf({ filter: "queue = default", start });
      expect(refusal.violations.map(({ field }) => field)).to.deep.equal(["resume_token"]);
      expect(await ask({ filter: '(queue="default") state = RUNNING', start })).to.have.property("bookmark");
      for (const value of ["", "x", `${resumeToken}x`, `1${resumeToken}.`])
        expect(
          await refusalOf({ filter: "queue = default AND state = RUNNING", start: { $case: "resumeToken", value } }),
        ).to.include({ code: "INVALID_ARGUMENT" });
    });

    it("a cursor beyond the log, with the numbers (Honest)", async () => {
      const now = (await ask({ start: { $case: "fromNow", value: true } }))?.bookmark?.revision ?? 0;
      const refusal = await refusalOf({ start: { $case: "afterRevision", value: now + 1000 } });
      expect(refusal).to.include({ code: "OUT_OF_RANGE", reason: "CURSOR_AHEAD" });
      expect(refusal.metadata).to.include({ oldestRevision: "0", currentRevision: String(now) });
    });
  });
});
