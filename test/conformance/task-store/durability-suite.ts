import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { expect } from "chai";
import type { CommittedEvent } from "#task-service/store/commit.js";
import type { TaskStore } from "#task-service/store/task-store.js";
import { LIST_ALL, reportBatch, sampleTask, started, succeeded } from "#test/conformance/task-store/sample-task.js";
import type { StoreFactory, StorePlace } from "#test/conformance/task-store/store-factory.js";
import { rejectionOf } from "#test/support/rejection-of.js";
import { until } from "#test/support/until.js";

interface Said {
  readonly acknowledged?: string;
  readonly refused?: string;
}

/** What a store promises across restarts, crashes and other processes. */
export function durabilitySuite(factory: StoreFactory): void {
  describe(`${factory.name}: durability`, () => {
    let place: StorePlace;
    const open: TaskStore[] = [];
    const children: ChildProcess[] = [];

    beforeEach(() => {
      place = factory.createPlace();
    });

    afterEach(async () => {
      for (const child of children.splice(0))
        if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL");
      for (const store of open.splice(0)) await store.stop();
      place.remove();
    });

    async function startStore(): Promise<TaskStore> {
      const store = place.open();
      open.push(store);
      await store.start();
      return store;
    }

    function startProcess(): { readonly child: ChildProcess; readonly said: Said[] } {
      const child = fork(new URL("./writing-process.js", import.meta.url), [place.address]);
      children.push(child);
      const said: Said[] = [];
      child.on("message", (message) => said.push(message as Said));
      return { child, said };
    }

    it("keeps revisions and keys rising across tasks and restarts, even when the newest rows were deleted", async () => {
      const revisions: number[] = [];
      let reported = 0;
      for (let round = 0; round < 3; round += 1) {
        const store = await startStore();
        expect(store.revision).to.be.at.least(reported);
        const events: CommittedEvent[] = [];
        store.onCommit((commit) => events.push(...commit.events));
        const tasks = Array.from({ length: 3 }, () => sampleTask());
        await store.write({ kind: "create", tasks });
        const batches = tasks.map(({ id }) => reportBatch(id, [started, succeeded()]));
        await store.write({ kind: "applyReports", batches });
        revisions.push(...events.map(({ revision }) => revision));
        await store.write({ kind: "deleteFinished", beforeMs: Date.now() + 1000, limit: 100 });
        reported = store.revision;
        expect(reported).to.equal(revisions.at(-1));
        await store.stop();
      }
      expect(revisions).to.deep.equal(revisions.map((_, index) => index + 1));
    });

    it("has every acknowledged task after the process was killed in mid-write", async () => {
      const { child, said } = startProcess();
      const acknowledged = () => said.flatMap((message) => message.acknowledged ?? []);
      await until("tasks are acknowledged", () => acknowledged().length >= 50);
      child.kill("SIGKILL");
      await once(child, "exit");
      const store = await startStore();
      const { tasks } = await store.read({ kind: "listTasks", list: { ...LIST_ALL, limit: 100_000 } });
      const kept = new Set(tasks.map(({ id }) => id));
      expect(acknowledged().filter((id) => !kept.has(id))).to.deep.equal([]);
      for (const { id } of tasks.slice(-20)) {
        const history = await store.read({ kind: "readEvents", id, afterSequence: 0, limit: 10 });
        expect(history?.events.map(({ sequence }) => sequence)).to.deep.equal([1]);
      }
    });

    it("refuses a second process, with a message that says what to do, until the first is gone", async () => {
      const first = startProcess();
      await until("the first process has the database", () => first.said.length > 0);
      const error = await rejectionOf(startStore());
      expect(error.message)
        .to.match(/another process has the database .* open/)
        .and.to.contain("stop the other one");
      first.child.kill("SIGKILL");
      await once(first.child, "exit");
      const store = await startStore();
      const second = startProcess();
      const [said] = await until("the second process has tried", () => second.said.length > 0 && second.said);
      expect(said?.refused).to.contain("another process has the database");
      await store.write({ kind: "create", tasks: [sampleTask()] });
    });

    it("refuses a second store in the same process", async () => {
      const store = await startStore();
      expect((await rejectionOf(startStore())).message).to.contain("another process has the database");
      await store.write({ kind: "create", tasks: [sampleTask()] });
      await store.stop();
      await startStore();
    });

    it("commits what it was given before it stops, and refuses what comes after", async () => {
      const store = await startStore();
      const tasks = Array.from({ length: 50 }, () => sampleTask());
      const writes = tasks.map((task) => store.write({ kind: "create", tasks: [task] }));
      await store.stop();
      await Promise.all(writes);
      expect(await rejectionOf(store.write({ kind: "probe" }))).to.include({ code: "UNAVAILABLE" });
      const again = await startStore();
      const { tasks: kept } = await again.read({ kind: "listTasks", list: LIST_ALL });
      expect(kept.length).to.equal(50);
    });

    it("stops before it was started, and more than once", async () => {
      const idle = place.open();
      await idle.stop();
      const store = await startStore();
      await store.stop();
      await store.stop();
    });
  });
}
