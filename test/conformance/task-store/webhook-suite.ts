import { readFileSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect } from "chai";
import { TaskState } from "#libs/tasks/task-state.js";
import type { Commit } from "#task-service/store/commit.js";
import type { NewTask, TaskRecord } from "#task-service/store/task-record.js";
import type { TaskStore } from "#task-service/store/task-store.js";
import {
  failed,
  LIST_ALL,
  reportBatch,
  sampleTask,
  started,
  succeeded,
  WORKER,
} from "#test/conformance/task-store/sample-task.js";
import type { StoreFactory, StorePlace } from "#test/conformance/task-store/store-factory.js";
import { until } from "#test/support/until.js";

const URL_TEXT = "https://receiver.test/secret-path-4711";
const WEBHOOK = JSON.stringify({ url: URL_TEXT, states: [] });
const CAPACITY = 3;

/** What a store promises about telling somebody of the end of a task. */
export function webhookSuite(factory: StoreFactory): void {
  describe(`${factory.name}: webhooks`, () => {
    let place: StorePlace;
    let store: TaskStore;
    const commits: Commit[] = [];

    const open = async () => {
      store = place.open();
      store.onCommit((commit) => commits.push(commit));
      await store.start();
    };

    beforeEach(async () => {
      place = factory.createPlace({ queueCapacity: CAPACITY });
      commits.length = 0;
      await open();
    });

    afterEach(async () => {
      await store.stop();
      place.remove();
    });

    const create = async (overrides: Partial<NewTask> = {}) => {
      const task = sampleTask({ webhookJson: WEBHOOK, ...overrides });
      await store.write({ kind: "create", tasks: [task] });
      return task;
    };
    const report = (...batches: Uint8Array[]) => store.write({ kind: "applyReports", batches });
    const cancel = (id: string, withWorker: number | null = null) =>
      store.write({ kind: "requestCancel", id, reason: "", withWorker });
    const read = (id: string) => store.read({ kind: "getTask", id, isFull: true });
    const deliveries = async (): Promise<TaskRecord[]> => {
      const { tasks } = await store.read({ kind: "listTasks", list: { ...LIST_ALL, isFull: true } });
      return tasks.filter(({ type }) => type === "webhook.deliver");
    };
    const bodyOf = (delivery: TaskRecord | undefined) =>
      JSON.parse(delivery?.payloadJson ?? "null") as { body: unknown };

    const ways: readonly (readonly [
      what: string,
      state: TaskState,
      code: string | null,
      end: () => Promise<NewTask>,
    ])[] = [
      [
        "completes",
        TaskState.COMPLETED,
        null,
        async () => {
          const task = await create();
          await report(reportBatch(task.id, [started, succeeded()]));
          return task;
        },
      ],
      [
        "fails",
        TaskState.FAILED,
        "HANDLER_ERROR",
        async () => {
          const task = await create();
          await report(reportBatch(task.id, [started, failed(undefined, false)]));
          return task;
        },
      ],
      [
        "is cancelled before it starts",
        TaskState.CANCELLED,
        "CANCELLED",
        async () => {
          const task = await create();
          await cancel(task.id);
          return task;
        },
      ],
      [
        "is cancelled while it runs",
        TaskState.CANCELLED,
        "CANCELLED",
        async () => {
          const task = await create();
          await report(reportBatch(task.id, [started]));
          await cancel(task.id, 1);
          const end = { $case: "cancelled", value: { phase: 2 } } as const;
          await report(reportBatch(task.id, [end], { firstNumber: 2 }));
          return task;
        },
      ],
      [
        "is cancelled while nobody answers",
        TaskState.CANCELLED,
        "CANCELLED",
        async () => {
          const task = await create();
          await cancel(task.id, 1);
          await store.write({ kind: "endCancels", tasks: [{ id: task.id, attempt: 0, isUntaken: false }] });
          return task;
        },
      ],
      [
        "is poisoned",
        TaskState.FAILED,
        "POISONED",
        async () => {
          const task = await create();
          await report(reportBatch(task.id, [started]));
          const leases = [{ id: task.id, attempt: 1, workerId: WORKER }];
          await store.write({ kind: "expireLeases", leases, poisonLosses: 1 });
          return task;
        },
      ],
      [
        "misses its total timeout",
        TaskState.FAILED,
        "TOTAL_TIMEOUT",
        async () => {
          const task = await create({ totalTimeoutMs: 10 });
          await until("its deadline has passed", () => Date.now() > task.runTimeMs + 10);
          await store.write({ kind: "expireDeadlines", tasks: [{ id: task.id, attempt: 0, isUntaken: true }] });
          return task;
        },
      ],
    ];
    for (const [what, state, code, end] of ways) {
      it(`makes one delivery, due at once, in the commit in which a task ${what}`, async () => {
        const task = await end();
        const ended = await read(task.id);
        expect(ended).to.include({ state });
        const [delivery, ...others] = await deliveries();
        expect(others).to.deep.equal([]);
        expect(delivery).to.include({ state: TaskState.PENDING, queue: "default", sequence: 1, attempt: 0 });
        expect(delivery?.labels).to.deep.equal({ webhook_task: task.id });
        const due = await store.read({
          kind: "readDue",
          lane: { queue: "default", type: "webhook.deliver" },
          after: null,
          limit: 10,
        });
        expect(due.map(({ id }) => id)).to.deep.equal([delivery?.id]);
        const word = Object.entries(TaskState).find(([, number]) => number === state)?.[0] ?? "";
        const endTime = new Date(ended?.endTimeMs ?? 0).toISOString();
        expect(bodyOf(delivery)).to.deep.equal({
          url: URL_TEXT,
          deliveryId: `${task.id}_${ended?.sequence}`,
          body: {
            type: `task.${word.toLowerCase()}`,
            timestamp: endTime,
            data: {
              id: task.id,
              type: "test.sample",
              queue: "default",
              state: word,
              attempt: ended?.attempt,
              sequence: ended?.sequence,
              error: code === null ? null : { code, message: ended?.error?.message },
              labels: {},
              createTime: new Date(task.createTimeMs).toISOString(),
              endTime,
            },
          },
        });
        const last = commits.at(-1)?.events.map(({ taskId, isTerminal }) => [taskId, isTerminal]);
        expect(last?.slice(-2)).to.deep.equal([
          [task.id, true],
          [delivery?.id, false],
        ]);
      });
    }

    it("makes none for a task that asked for none, or not for this end, or that goes on", async () => {
      const none = await create({ webhookJson: null });
      const onlyFailed = JSON.stringify({ url: URL_TEXT, states: [TaskState.FAILED, TaskState.CANCELLED] });
      const [good, retried] = [await create({ webhookJson: onlyFailed }), await create()];
      await report(...[none, good].map(({ id }) => reportBatch(id, [started, succeeded()])));
      await report(reportBatch(retried.id, [started, failed()]));
      expect(await deliveries()).to.deep.equal([]);
      const bad = await create({ webhookJson: onlyFailed });
      await report(reportBatch(bad.id, [started, failed(undefined, false)]));
      expect(await deliveries()).to.have.lengthOf(1);
    });

    it("makes no second one when reports come again, and another one for a task that is opened again and ends again", async () => {
      const { id } = await create({ labelsJson: '{"team":"a"}' });
      const batch = reportBatch(id, [started, failed(undefined, false)]);
      await report(batch, batch);
      await report(batch);
      expect(await deliveries()).to.have.lengthOf(1);
      await store.write({ kind: "reopen", id, sequence: null });
      await report(batch);
      expect(await deliveries()).to.have.lengthOf(1);
      await report(reportBatch(id, [started, succeeded()], { attempt: 2 }));
      const [first, second, ...more] = await deliveries();
      expect(more).to.deep.equal([]);
      expect([first, second].map((delivery) => bodyOf(delivery))).to.have.deep.nested.property(
        "[1].deliveryId",
        `${id}_6`,
      );
      expect(bodyOf(second)).to.have.nested.property("body.data.labels.team", "a");
    });

    it("makes it also where the queue is full, and counts it there", async () => {
      const tasks = [await create(), await create(), await create()];
      expect(await store.write({ kind: "create", tasks: [sampleTask()] })).to.include({ kind: "queueFull" });
      await report(...tasks.map(({ id }) => reportBatch(id, [started, succeeded()])));
      expect(await deliveries()).to.have.lengthOf(CAPACITY);
      expect(store.statistics.held("default")).to.deep.equal({ open: CAPACITY, running: 0 });
      expect(await store.write({ kind: "create", tasks: [sampleTask()] })).to.include({ kind: "queueFull" });
    });

    it("makes it in the queue that is set aside for deliveries", async () => {
      const apart = factory.createPlace({ webhookQueue: "hooks" });
      const other = apart.open();
      await other.start();
      try {
        const task = sampleTask({ webhookJson: WEBHOOK });
        await other.write({ kind: "create", tasks: [task] });
        await other.write({ kind: "requestCancel", id: task.id, reason: "", withWorker: null });
        expect(other.statistics.held("hooks")).to.deep.equal({ open: 1, running: 0 });
        expect(other.statistics.held("default")).to.deep.equal({ open: 0, running: 0 });
      } finally {
        await other.stop();
        apart.remove();
      }
    });

    it("shows it in full tasks only, keeps it over a restart, and seals it where payloads are sealed", async () => {
      const { id } = await create();
      expect((await read(id))?.webhookJson).to.equal(WEBHOOK);
      expect((await store.read({ kind: "getTask", id, isFull: false }))?.webhookJson).to.equal(null);
      await store.stop();
      await open();
      const { task } = await cancel(id);
      expect(task?.webhookJson).to.equal(null);
      expect(bodyOf((await deliveries())[0])).to.include({ url: URL_TEXT });
      const folder = dirname(place.address);
      const isPlain = readdirSync(folder).some((file) => readFileSync(join(folder, file)).includes("secret-path-4711"));
      expect(isPlain).to.equal(!factory.name.includes("encrypted"));
    });
  });
}
