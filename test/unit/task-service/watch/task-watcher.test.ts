import { join } from "node:path";
import { expect } from "chai";
import fc from "fast-check";
import { TaskState } from "#libs/tasks/task-state.js";
import { SqliteStore } from "#task-service/store/sqlite/sqlite-store.js";
import type { TaskWatcher } from "#task-service/watch/task-watcher.js";
import { WatchHub } from "#task-service/watch/watch-hub.js";
import { progress, reportBatch, sampleTask, started, succeeded } from "#test/conformance/task-store/sample-task.js";
import { freshDirectory } from "#test/support/fresh-directory.js";
import { until } from "#test/support/until.js";
import { RecordingSink } from "#test/unit/task-service/watch/recording-sink.js";

const HEARTBEAT_MS = 40;

/** A task and the reports of its only attempt, numbered by themselves. */
class WatchedTask {
  readonly id: string;
  readonly #store: SqliteStore;
  #number = 0;

  private constructor(store: SqliteStore, id: string) {
    this.#store = store;
    this.id = id;
  }

  static async create(store: SqliteStore): Promise<WatchedTask> {
    const task = sampleTask();
    await store.write({ kind: "create", tasks: [task] });
    return new WatchedTask(store, task.id);
  }

  /** The latest sequence. */
  get sequence(): number {
    return this.#number + 1;
  }

  async report(...kinds: Parameters<typeof reportBatch>[1]): Promise<void> {
    const batch = reportBatch(this.id, kinds, { firstNumber: this.#number + 1 });
    this.#number += kinds.length;
    await this.#store.write({ kind: "applyReports", batches: [batch] });
  }

  async progress(count: number): Promise<void> {
    await this.report(...Array.from({ length: count }, (_, index) => progress(index)));
  }
}

function numbers(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => from + index);
}

describe("TaskWatcher", () => {
  const directory = freshDirectory();
  const store = new SqliteStore({ path: join(directory.path, "taskwire.db"), queueCapacity: 1000 });
  const hub = new WatchHub(store, { heartbeatMs: HEARTBEAT_MS });

  before(async () => {
    await store.start();
    await hub.start();
  });

  after(async () => {
    await hub.stop();
    await store.stop();
    directory.remove();
  });

  function watch(id: string, sink: RecordingSink, afterSequence?: number): TaskWatcher {
    return hub.watch({ id, afterSequence, isFull: false }, sink);
  }

  const ended = (sink: RecordingSink) => until("the watch has ended", () => sink.isEnded || sink.failure !== undefined);

  it("sends the history after the cursor, then what happens, and ends with the terminal event", async () => {
    const task = await WatchedTask.create(store);
    await task.report(started, progress(1));
    for (const cursor of [0, 1, 3]) {
      const sink = new RecordingSink();
      const watcher = watch(task.id, sink, cursor);
      await until("it has caught up", () => sink.heartbeats.length > 0);
      expect(sink.sequences).to.deep.equal(numbers(cursor + 1, 3));
      expect(sink.heartbeats[0]).to.include({ sequence: 3 });
      hub.unwatch(watcher);
    }
    const sink = new RecordingSink();
    watch(task.id, sink, 2);
    await task.progress(3);
    await task.report(succeeded());
    await ended(sink);
    expect(sink.sequences).to.deep.equal(numbers(3, task.sequence));
    expect(sink.events.at(-1)?.kind?.$case).to.equal("completed");
  });

  it("begins with a snapshot without a cursor, and misses nothing that is committed meanwhile", async () => {
    const task = await WatchedTask.create(store);
    await task.report(started);
    const sink = new RecordingSink();
    watch(task.id, sink);
    await Promise.all([task.progress(2), task.progress(2), task.report(succeeded())]);
    await ended(sink);
    const from = sink.snapshotTaken?.sequence ?? 0;
    expect(from).to.be.within(2, task.sequence);
    expect(sink.sequences).to.deep.equal(numbers(from + 1, task.sequence));
  });

  it("ends at once for a task that has ended: after its snapshot, its last events, or nothing", async () => {
    const task = await WatchedTask.create(store);
    await task.report(started, succeeded());
    const snapshot = new RecordingSink();
    watch(task.id, snapshot);
    await ended(snapshot);
    expect(snapshot.snapshotTaken).to.include({ state: TaskState.COMPLETED, sequence: 3 });
    expect(snapshot.sequences).to.deep.equal([]);
    for (const cursor of [0, 2, 3]) {
      const sink = new RecordingSink();
      watch(task.id, sink, cursor);
      await ended(sink);
      expect(sink.sequences).to.deep.equal(numbers(cursor + 1, 3));
    }
  });

  it("fails for a task that does not exist and for a cursor beyond the latest event", async () => {
    const task = await WatchedTask.create(store);
    const ahead = new RecordingSink();
    watch(task.id, ahead, 2);
    await ended(ahead);
    expect(ahead.failure).to.include({ code: "OUT_OF_RANGE", reason: "CURSOR_AHEAD" });
    for (const cursor of [undefined, 0, 5]) {
      const nobody = new RecordingSink();
      watch(sampleTask().id, nobody, cursor);
      await ended(nobody);
      expect(nobody.failure).to.include({ code: "NOT_FOUND", reason: "TASK_NOT_FOUND" });
    }
  });

  it("sends nothing to a full stream and everything once it has room", async () => {
    const task = await WatchedTask.create(store);
    await task.report(started);
    let hasRoom = false;
    const sink = new RecordingSink(() => hasRoom);
    const watcher = watch(task.id, sink, 0);
    await until("the history has come", () => sink.events.length === 2);
    await task.progress(1200);
    await task.report(succeeded());
    expect(sink.events.length).to.equal(2);
    hasRoom = true;
    sink.isBlocked = false;
    watcher.onDrain();
    await ended(sink);
    expect(sink.sequences).to.deep.equal(numbers(1, task.sequence));
  });

  it("sends no heartbeat while something is missing or was just sent", async () => {
    const task = await WatchedTask.create(store);
    await task.report(started);
    const sink = new RecordingSink(() => false);
    const watcher = watch(task.id, sink, 0);
    await until("the history has come", () => sink.events.length === 2);
    watcher.beat(performance.now() + 60_000, 1000, store.revision);
    expect(sink.heartbeats).to.deep.equal([]);
    sink.isBlocked = false;
    watcher.onDrain();
    watcher.beat(performance.now(), 60_000, store.revision);
    expect(sink.heartbeats).to.deep.equal([]);
    watcher.beat(performance.now() + 60_000, 1000, store.revision);
    expect(sink.heartbeats).to.deep.equal([{ revision: store.revision, sequence: 2 }]);
    hub.unwatch(watcher);
    watcher.beat(performance.now() + 120_000, 1000, store.revision);
    expect(sink.heartbeats.length).to.equal(1);
  });

  it("keeps its frames well below what gRPC clients accept, however much one commit brings", async () => {
    const task = await WatchedTask.create(store);
    await task.report(started);
    const sink = new RecordingSink();
    watch(task.id, sink, 0);
    await until("the history has come", () => sink.events.length === 2);
    const chunk = { name: "output", text: "x".repeat(64 * 1024), offset: 0, capped: false };
    await task.report(...Array.from({ length: 100 }, () => ({ $case: "output" as const, value: chunk })));
    await task.report(succeeded());
    await ended(sink);
    expect(sink.sequences).to.deep.equal(numbers(1, task.sequence));
    expect(Math.max(...sink.frameBytes)).to.be.below(2 * 1024 * 1024);
  });

  it("delivers each sequence exactly once, whenever the stream is full and whatever comes when", async function () {
    this.timeout(60_000);
    const step = fc.oneof(
      {
        weight: 3,
        arbitrary: fc.record({ what: fc.constant("commit" as const), count: fc.integer({ min: 1, max: 5 }) }),
      },
      {
        weight: 2,
        arbitrary: fc.record({ what: fc.constant("commit unawaited" as const), count: fc.integer({ min: 1, max: 3 }) }),
      },
      { weight: 3, arbitrary: fc.record({ what: fc.constant("drain" as const), count: fc.constant(0) }) },
      { weight: 1, arbitrary: fc.record({ what: fc.constant("pause" as const), count: fc.constant(0) }) },
    );
    const cursor = fc.option(fc.nat(2), { nil: undefined });
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 14 }),
        fc.infiniteStream(fc.boolean()),
        cursor,
        async (steps, room, after) => {
          const task = await WatchedTask.create(store);
          await task.report(started);
          const sink = new RecordingSink(() => room.next().value === true);
          const watcher = watch(task.id, sink, after);
          const drain = () => {
            if (!sink.isBlocked) return;
            sink.isBlocked = false;
            watcher.onDrain();
          };
          const writes: Promise<void>[] = [];
          for (const { what, count } of steps) {
            if (what === "commit") await task.progress(count);
            else if (what === "commit unawaited") writes.push(task.progress(count));
            else if (what === "drain") drain();
            else await store.read({ kind: "lastRevision" });
          }
          await Promise.all([...writes, task.report(succeeded())]);
          await until("the watch has ended", () => {
            drain();
            return sink.isEnded || sink.failure !== undefined;
          });
          expect(sink.failure).to.equal(undefined);
          const from = sink.snapshotTaken?.sequence ?? after ?? 0;
          expect(sink.sequences).to.deep.equal(numbers(from + 1, task.sequence));
          hub.unwatch(watcher);
        },
      ),
      { numRuns: 80 },
    );
  });
});
