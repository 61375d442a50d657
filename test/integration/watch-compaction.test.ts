import { join } from "node:path";
import { expect } from "chai";
import { TaskwireError } from "#libs/errors/taskwire-error.js";
import { WatchTasksResponse } from "#libs/proto/gen/taskwire/v1/task_service.js";
import { SqliteStore } from "#task-service/store/sqlite/sqlite-store.js";
import { LogHub } from "#task-service/watch/log-hub.js";
import type { TasksWatcher } from "#task-service/watch/tasks-watcher.js";
import { reportBatch, sampleTask, started, succeeded } from "#test/conformance/task-store/sample-task.js";
import { freshDirectory } from "#test/support/fresh-directory.js";
import { until } from "#test/support/until.js";

const ROUNDS = 60;
const TASKS_PER_ROUND = 40;
const STATES = 1;

/** What became of one watch: the events it was told, or the refusal. */
interface Outcome {
  readonly from: number;
  readonly revisions: number[];
  bookmark: number | undefined;
  error: unknown;
}

describe("Retention deletes events while watchers resume (Honest)", function () {
  this.timeout(120_000);
  const directory = freshDirectory();
  let store: SqliteStore;
  let hub: LogHub;
  const committed: number[] = [];

  before(async () => {
    store = new SqliteStore({ path: join(directory.path, "taskwire.db"), queueCapacity: 1_000_000 });
    hub = new LogHub(store, { heartbeatMs: 60_000 });
    store.onCommit(({ events }) => committed.push(...events.map(({ revision }) => revision)));
    await store.start();
    await hub.start();
  });
  after(async () => {
    await hub?.stop();
    await store?.stop();
    directory.remove();
  });

  function watch(from: number): Outcome {
    const outcome: Outcome = { from, revisions: [], bookmark: undefined, error: undefined };
    const selection = { filter: null, classes: STATES };
    const start = { kind: "cursor", revision: from, snapshotId: null } as const;
    const leave: { watcher?: TasksWatcher } = {};
    leave.watcher = hub.watch(
      { selection, fingerprint: "0123456789abcdef", start },
      {
        frame: (bytes) => {
          const { changes, bookmark } = WatchTasksResponse.decode(bytes);
          outcome.revisions.push(...changes.map(({ kind }) => kind?.value.revision ?? 0));
          outcome.bookmark ??= bookmark?.revision;
          if (outcome.bookmark !== undefined && leave.watcher !== undefined) hub.unwatch(leave.watcher);
          return true;
        },
        encodeTasks: () => new Uint8Array(),
        fail: (error) => {
          outcome.error = error;
        },
      },
    );
    return outcome;
  }

  async function round(): Promise<void> {
    const tasks = Array.from({ length: TASKS_PER_ROUND }, () => sampleTask());
    await store.write({ kind: "create", tasks });
    const batches = tasks.map(({ id }) => reportBatch(id, [started, succeeded()]));
    await store.write({ kind: "applyReports", batches });
    // All but the latest ones: as retention does, in small commands.
    await store.write({ kind: "deleteFinished", beforeMs: Date.now() - 50, limit: 25 });
  }

  it("tells every event after the cursor, or refuses it with the oldest revision that is kept: never a hole", async () => {
    const outcomes: Outcome[] = [];
    for (let number = 0; number < ROUNDS; number += 1) {
      const running = round();
      for (let each = 0; each < 5; each += 1) {
        const share = (number * 5 + each) / (ROUNDS * 5);
        outcomes.push(watch(Math.floor(store.revision * share)), watch(Math.max(0, store.revision - each * 20)));
      }
      await running;
    }
    await until("every watch has caught up or was refused", () =>
      outcomes.every(({ bookmark, error }) => bookmark !== undefined || error !== undefined),
    );
    const refused = outcomes.filter(({ error }) => error !== undefined);
    const told = outcomes.filter(({ error }) => error === undefined);
    expect(refused.length).to.be.above(20);
    expect(told.length).to.be.above(20);
    for (const { from, error } of refused) {
      if (!(error instanceof TaskwireError)) throw error;
      expect(error).to.include({ code: "OUT_OF_RANGE", reason: "REVISION_COMPACTED" });
      const { oldestRevision, currentRevision } = error.metadata;
      expect(Number(oldestRevision)).to.be.above(from);
      expect(Number(currentRevision)).to.be.at.least(Number(oldestRevision));
      expect(Number(currentRevision)).to.be.at.most(store.revision);
    }
    for (const { from, revisions, bookmark = 0 } of told)
      expect(revisions).to.deep.equal(committed.filter((revision) => revision > from && revision <= bookmark));
    const { compactedRevision } = await store.read({
      kind: "readLog",
      selection: { filter: null, classes: STATES },
      afterRevision: 0,
      upToRevision: null,
      upToId: null,
    });
    const oldest = watch(compactedRevision);
    await until("the oldest revision that is kept can be resumed from", () => oldest.bookmark !== undefined);
    const justBefore = watch(compactedRevision - 1);
    await until("the one before cannot", () => justBefore.error !== undefined);
    expect(justBefore.error).to.include({ code: "OUT_OF_RANGE" });
  });
});
