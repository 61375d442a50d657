import { join } from "node:path";
import { expect } from "chai";
import { deferred } from "#libs/async/deferred.js";
import { WatchTasksResponse } from "#libs/proto/gen/taskwire/v1/task_service.js";
import { EventClass } from "#task-service/store/log/event-head.js";
import { SqliteStore } from "#task-service/store/sqlite/sqlite-store.js";
import { LogHub } from "#task-service/watch/log-hub.js";
import type { TasksWatcher } from "#task-service/watch/tasks-watcher.js";
import { progress, reportBatch, sampleTask, started, succeeded } from "#test/conformance/task-store/sample-task.js";
import { freshDirectory } from "#test/support/fresh-directory.js";
import { until } from "#test/support/until.js";

const ROUNDS = 150;
const ALL = EventClass.STATES | EventClass.PROGRESS | EventClass.LOGS | EventClass.OUTPUT;
/** So little that watchers that are a little behind must read the database. */
const TAIL_BYTES = 20_000;

/** A reader that takes a frame and then needs time: for its own number of turns, or until something has happened. */
class SlowReader {
  readonly told: number[] = [];
  readonly lagged: number[] = [];
  bookmark = 0;
  #frames = 0;

  constructor(hub: LogHub, everyNth: number, pause: number | Promise<unknown>) {
    const start = { kind: "cursor", revision: 0, snapshotId: null } as const;
    const own: { watcher?: TasksWatcher } = {};
    const drainAfter = (left: number) => {
      setImmediate(() => {
        if (left > 0) drainAfter(left - 1);
        else own.watcher?.onDrain();
      });
    };
    own.watcher = hub.watch(
      { selection: { filter: null, classes: ALL }, fingerprint: "0123456789abcdef", start },
      {
        frame: (bytes) => {
          const { changes, lagged, bookmark } = WatchTasksResponse.decode(bytes);
          this.told.push(...changes.map(({ kind }) => kind?.value.revision ?? 0));
          this.lagged.push(...(lagged?.revisions ?? []));
          this.bookmark = bookmark?.revision ?? this.bookmark;
          this.#frames += 1;
          if (this.#frames % everyNth !== 0) return true;
          if (typeof pause === "number") drainAfter(pause);
          else void pause.then(() => own.watcher?.onDrain());
          return false;
        },
        encodeTasks: () => new Uint8Array(),
        fail: (error) => {
          throw error;
        },
      },
    );
  }
}

describe("Slow watchers of everything (Reliable, Bounded)", function () {
  this.timeout(120_000);
  const directory = freshDirectory();
  let store: SqliteStore;
  let hub: LogHub;
  const committed: number[] = [];
  const progressed = new Set<number>();

  before(async () => {
    store = new SqliteStore({ path: join(directory.path, "taskwire.db"), queueCapacity: 1_000_000 });
    hub = new LogHub(store, { heartbeatMs: 100, tailBytes: TAIL_BYTES });
    store.onCommit(({ events }) => committed.push(...events.map(({ revision }) => revision)));
    await store.start();
    await hub.start();
  });
  after(async () => {
    await hub?.stop();
    await store?.stop();
    directory.remove();
  });

  it("are told everything in order, or which progress was left out, however slow they are", async () => {
    const written = deferred<undefined>();
    const paces: readonly (readonly [everyNth: number, pause: number | Promise<unknown>])[] = [
      [1, 0],
      [1, 50],
      [3, 20],
      [7, 400],
      [1_000_000, 0],
      // However fast the others are, this one is behind.
      [1, written.promise],
    ];
    const readers = paces.map(([everyNth, pause]) => new SlowReader(hub, everyNth, pause));
    for (let round = 0; round < ROUNDS; round += 1) {
      const tasks = Array.from({ length: 10 }, () => sampleTask());
      await store.write({ kind: "create", tasks });
      const steps = [started, ...Array.from({ length: 5 }, (_, number) => progress(number)), succeeded()];
      const before = store.revision;
      await store.write({ kind: "applyReports", batches: tasks.map(({ id }) => reportBatch(id, steps)) });
      for (let at = 0; at < tasks.length * steps.length; at += 1)
        if (at % steps.length > 0 && at % steps.length < steps.length - 1) progressed.add(before + 1 + at);
    }
    written.resolve(undefined);
    await until("all have caught up", () => readers.every(({ bookmark }) => bookmark === store.revision), 60_000);
    for (const { told, lagged } of readers) {
      expect(told).to.deep.equal([...told].sort((one, other) => one - other));
      expect([...told, ...lagged].sort((one, other) => one - other)).to.deep.equal(committed);
      expect(lagged.filter((revision) => !progressed.has(revision))).to.deep.equal([]);
    }
    expect(readers.some(({ lagged }) => lagged.length > 0)).to.equal(true);
  });
});
