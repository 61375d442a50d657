import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { expect } from "chai";
import { TaskState } from "#libs/tasks/task-state.js";
import type { RingKeys } from "#libs/sealing/key-ring.js";
import { SqliteStore } from "#task-service/store/sqlite/sqlite-store.js";
import { LIST_ALL, sampleTask } from "#test/conformance/task-store/sample-task.js";
import { freshDirectory } from "#test/support/fresh-directory.js";

describe("recordFacts", () => {
  const directory = freshDirectory();

  after(() => {
    directory.remove();
  });

  const withStore = async <T>(keys: RingKeys, use: (store: SqliteStore) => Promise<T>): Promise<T> => {
    const store = new SqliteStore({ path: join(directory.path, "taskwire.db"), queueCapacity: 10, keys });
    await store.start();
    try {
      return await use(store);
    } finally {
      await store.stop();
    }
  };

  it("commits the end of a task whose webhook cannot be opened any more, with a delivery that can be seen to fail", async () => {
    const task = sampleTask({ webhookJson: JSON.stringify({ url: "https://receiver.test/", states: [] }) });
    await withStore({ current: randomBytes(32), old: [] }, (store) => store.write({ kind: "create", tasks: [task] }));
    await withStore({ current: randomBytes(32), old: [] }, async (store) => {
      await store.write({ kind: "requestCancel", id: task.id, reason: "", withWorker: null });
      expect(await store.read({ kind: "getTask", id: task.id, isFull: false })).to.include({
        state: TaskState.CANCELLED,
      });
      const { tasks } = await store.read({ kind: "listTasks", list: LIST_ALL });
      const delivery = tasks.find(({ type }) => type === "webhook.deliver");
      const full = await store.read({ kind: "getTask", id: delivery?.id ?? "", isFull: true });
      expect(JSON.parse(full?.payloadJson ?? "{}")).to.include({ url: "" });
    });
  });
});
