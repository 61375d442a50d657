import { expect } from "chai";
import { WatchTasksResponse } from "#libs/proto/gen/taskwire/v1/task_service.js";
import { EventClass } from "#task-service/store/log/event-head.js";
import type { TaskStore } from "#task-service/store/task-store.js";
import { sampleTask } from "#test/conformance/task-store/sample-task.js";
import type { StoreFactory, StorePlace } from "#test/conformance/task-store/store-factory.js";
import { filterOf } from "#test/support/filter-of.js";

const HOUR_MS = 3_600_000;

/** What a store promises to watchers of many tasks. */
export function logSuite(factory: StoreFactory): void {
  describe(`${factory.name}: the log`, () => {
    let place: StorePlace;
    let store: TaskStore;

    before(async () => {
      place = factory.createPlace();
      store = place.open();
      await store.start();
    });
    after(async () => {
      await store.stop();
      place.remove();
    });

    it("has a new task match by update_time as a snapshot has it, also when ids run ahead of a clock that went back", async () => {
      const nowMs = Date.now();
      const aheadMs = nowMs + HOUR_MS;
      const task = sampleTask({ createTimeMs: aheadMs, runTimeMs: aheadMs });
      await store.write({ kind: "create", tasks: [task] });
      const filter = filterOf(`update_time > ${new Date(nowMs + HOUR_MS / 2).toISOString()}`);
      const snapshot = await store.read({ kind: "readSelected", filter, afterId: "" });
      const selection = { filter, classes: EventClass.STATES };
      const log = await store.read({ kind: "readLog", selection, afterRevision: 0, upToRevision: null, upToId: null });
      const told = WatchTasksResponse.decode(log.changes).changes.map(({ kind }) =>
        kind?.$case === "event" ? [kind.value.taskId, kind.value.time?.getTime()] : [],
      );
      expect(told).to.deep.equal([[task.id, aheadMs]]);
      expect(snapshot.tasks.map(({ id, updateTimeMs }) => [id, updateTimeMs])).to.deep.equal(told);
    });
  });
}
