import { join } from "node:path";
import { expect } from "chai";
import { TaskState, type TaskwireError, type TasksFrame } from "#libs/client/taskwire-client.js";
import { SqliteStore } from "#task-service/store/sqlite/sqlite-store.js";
import { fixturePath } from "#test/fixtures/tasks/fixture-path.js";
import { historyOf } from "#test/support/follow-task.js";
import { Gate } from "#test/support/gate.js";
import { rejectionOf } from "#test/support/rejection-of.js";
import { TasksMirror } from "#test/support/tasks-mirror.js";
import { startTestStack, type TestStack } from "#test/support/test-stack.js";

const TASKS = 30;
const TIMEOUT_MS = 60_000;

describe("A watch of many tasks when the service is killed (Resumable)", function () {
  this.timeout(120_000);
  let test: TestStack;

  before(async () => {
    test = await startTestStack({
      workerArgs: ["--tasks", fixturePath("flow-tasks.js")],
      workerEnv: { TASKWIRE_SLOTS: String(TASKS) },
    });
  });
  after(() => test?.stop());

  it("goes on by itself, without a loss or a repetition", async () => {
    const { client, stack } = test;
    const labels = { test: "killed" };
    const gate = new Gate(test.dataDir, "killed");
    const task = { type: "flow.gate", payload: gate.payload, labels };
    const tasks = await client.createMany(Array.from({ length: TASKS }, () => task));
    const seen = new TasksMirror();
    const countIn = (state: TaskState) => [...seen.tasks.values()].filter((each) => each.state === state).length;
    let kills = 0;
    const options = {
      filter: "labels.test = killed",
      start: { afterRevision: 0 },
      signal: AbortSignal.timeout(TIMEOUT_MS),
    };
    for await (const frame of client.watchTasks(options)) {
      seen.take(frame);
      const isTime =
        (kills === 0 && countIn(TaskState.RUNNING) > 0) || (kills === 1 && countIn(TaskState.COMPLETED) > 0);
      if (isTime) {
        kills += 1;
        await stack.service.kill();
        gate.open();
        await stack.service.start();
      }
      if (countIn(TaskState.COMPLETED) === TASKS) break;
    }
    expect(kills).to.equal(2);
    const histories = await Promise.all(tasks.map(({ id }) => historyOf(client, id)));
    const whole = histories.flat().sort((one, other) => one.revision - other.revision);
    expect(seen.everythingIn(whole)).to.deep.equal(whole);
  });

  it("is refused when what it missed was deleted meanwhile, or begins anew if asked to (Honest)", async () => {
    const { client, stack } = test;
    const filter = "labels.test = deleted";
    const labels = { test: "deleted" };
    const gone = await client.createMany([{ type: "flow.count", payload: { to: 1 }, labels }]);
    const kept = await client.create("nobody.home", {}, { labels });
    await client.waitFor(gone.map(({ id }) => id));
    let cut: TasksFrame | undefined;
    for await (const frame of client.watchTasks({ filter, start: { afterRevision: 0 } })) {
      cut = frame;
      break;
    }
    const oldToken = `0${cut?.resumeToken.slice(cut.resumeToken.indexOf("."))}`;
    await stack.service.stop();
    const store = new SqliteStore({ path: join(test.dataDir, "taskwire.db"), queueCapacity: 1_000_000 });
    await store.start();
    await store.write({ kind: "deleteFinished", beforeMs: Date.now() + 1000, limit: 1000 });
    await store.stop();
    await stack.service.start();
    const start = { resumeToken: oldToken };
    const refusal = (await rejectionOf(client.watchTasks({ filter, start }).next())) as TaskwireError;
    expect(refusal).to.include({ code: "OUT_OF_RANGE", reason: "REVISION_COMPACTED" });
    const { oldestRevision, currentRevision } = refusal.metadata;
    expect(Number(oldestRevision)).to.be.above(0).and.at.most(Number(currentRevision));
    const seen = new TasksMirror();
    for await (const frame of client.watchTasks({ filter, start, onGap: "snapshot" })) {
      if (seen.resumeToken === "") expect(frame.isRestart).to.equal(true);
      seen.take(frame);
      if (frame.syncedRevision !== undefined) break;
    }
    expect([...seen.tasks.keys()]).to.deep.equal([kept.id]);
    const after = { afterRevision: Number(oldestRevision) };
    expect((await client.watchTasks({ filter, start: after }).next()).value).to.have.property("bookmarkRevision");
  });
});
