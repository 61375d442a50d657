import { expect } from "chai";
import { DiscardPolicy, nanos, NatsError, type JetStreamManager } from "nats";
import { TaskState } from "#libs/client/taskwire-client.js";
import { fixturePath } from "#test/fixtures/tasks/fixture-path.js";
import { eventOf, expectWholeHistory, historyOf, kindsOf, valuesOf } from "#test/support/follow-task.js";
import { Gate } from "#test/support/gate.js";
import { JournalFile } from "#test/support/journal-file.js";
import { StackStreams } from "#test/support/stack-streams.js";
import { startTestStack, type TestStack } from "#test/support/test-stack.js";
import { testsAtOnce } from "#test/support/tests-at-once.js";
import { until } from "#test/support/until.js";

const WAITING = 10;
/** So many stacks are tampered with at the same time. */
const STACKS = 3;

type Names = StackStreams["names"];
type Tampering = readonly [what: string, tamper: (manager: JetStreamManager, names: Names) => Promise<unknown>];

const TAMPERINGS: readonly Tampering[] = [
  ["the work stream is deleted", (manager, { work }) => manager.streams.delete(work)],
  ["the report stream is deleted", (manager, { reports }) => manager.streams.delete(reports)],
  ["the work consumer is deleted", (manager, { work, consumer }) => manager.consumers.delete(work, consumer)],
  ["the report consumer is deleted", (manager, { reports, ingest }) => manager.consumers.delete(reports, ingest)],
  ["the work stream is purged", (manager, { work }) => manager.streams.purge(work)],
  [
    "the work stream gets a maximum age",
    async (manager, { work }) => {
      await manager.streams.update(work, { max_age: nanos(150), duplicate_window: nanos(100) });
      await until("dispatches are too old, or the age was put back", async () => {
        const { config, state } = await manager.streams.info(work);
        return state.messages === 0 || config.max_age === 0;
      });
    },
  ],
  [
    "the work stream drops the oldest dispatches",
    (manager, { work }) => manager.streams.update(work, { discard: DiscardPolicy.Old, max_msgs: 1 }),
  ],
  [
    "the work stream listens to other subjects",
    (manager, { work }) => manager.streams.update(work, { subjects: ["elsewhere.work.*"] }),
  ],
  [
    "the report stream listens to other subjects",
    (manager, { reports }) => manager.streams.update(reports, { subjects: ["elsewhere.reports"] }),
  ],
  [
    "the work consumer allows one task at a time",
    (manager, { work, consumer }) => manager.consumers.update(work, consumer, { max_ack_pending: 1 }),
  ],
  [
    "the work stream is kept on disk",
    async (manager, { work }) => {
      const { config } = await manager.streams.info(work);
      await manager.streams.delete(work);
      await manager.streams.add({ ...config, storage: "file" as typeof config.storage });
    },
  ],
];

describe("When streams and consumers are deleted or altered by hand (One truth)", function () {
  this.timeout(120_000);
  const idle: TamperedStack[] = [];
  const all: TamperedStack[] = [];

  before(async () => {
    all.push(...(await Promise.all(Array.from({ length: STACKS }, () => startTamperedStack()))));
    idle.push(...all);
  });
  after(() => Promise.all(all.map((stack) => stack.stop())));

  /** Runs `body` with a stack that nobody else uses meanwhile. */
  async function withStack(body: (stack: TamperedStack) => Promise<void>): Promise<void> {
    const stack = idle.shift();
    if (stack === undefined) throw new Error("more tests at once than stacks");
    try {
      await body(stack);
    } finally {
      idle.push(stack);
    }
  }

  testsAtOnce(STACKS, [
    ...TAMPERINGS.map(
      ([what, tamper]) =>
        [
          `${what}: what runs and what waits completes, each once, as does what comes later, and it is put right`,
          () => withStack((stack) => stack.expectNothingLost(what, tamper)),
        ] as const,
    ),
    [
      "all of it at once while nothing runs: what comes later completes",
      () => withStack((stack) => stack.expectLaterCompletes()),
    ],
  ]);
});

async function startTamperedStack(): Promise<TamperedStack> {
  const test = await startTestStack({
    workerArgs: ["--tasks", fixturePath("trouble-tasks.js")],
    workerEnv: { TASKWIRE_SLOTS: "2" },
    serviceEnv: { TASKWIRE_REDISPATCH_MS: "500" },
  });
  const stack = new TamperedStack(test);
  await stack.start();
  return stack;
}

class TamperedStack {
  readonly #test: TestStack;
  readonly #streams: StackStreams;
  readonly #journal: JournalFile;

  constructor(test: TestStack) {
    this.#test = test;
    this.#streams = new StackStreams(test);
    this.#journal = new JournalFile(test.dataDir);
  }

  start(): Promise<void> {
    return this.#streams.start();
  }

  async stop(): Promise<void> {
    await this.#streams.stop();
    await this.#test.stop();
  }

  async expectNothingLost(name: string, tamper: Tampering[1]): Promise<void> {
    const { client, dataDir } = this.#test;
    const gate = new Gate(dataDir, name.replaceAll(" ", "-"));
    const file = this.#journal.path;
    const running = await Promise.all([0, 1].map(() => client.create("trouble.journal", { file, ...gate.payload })));
    await Promise.all(running.map(({ id }) => eventOf(client, id, "progress")));
    const brief = () => client.create("trouble.brief", { file });
    const waiting = await Promise.all(Array.from({ length: WAITING }, brief));
    await until("dispatches wait in NATS", async () => (await this.#streams.dispatches()) > 0);

    const before = await this.#setUp();
    await tamper(await this.#streams.manager(), this.#streams.names);
    gate.open();
    await this.#expectEachOnce([...running, ...waiting].map(({ id }) => id));
    await this.#expectEachOnce([(await brief()).id]);
    await until("streams and consumers are as before", async () => (await this.#setUp()) === before, 30_000);
  }

  async expectLaterCompletes(): Promise<void> {
    const { work, reports } = this.#streams.names;
    const manager = await this.#streams.manager();
    await manager.streams.delete(work);
    await manager.streams.delete(reports);
    const { client } = this.#test;
    const file = this.#journal.path;
    const late = await Promise.all(Array.from({ length: WAITING }, () => client.create("trouble.brief", { file })));
    await this.#expectEachOnce(late.map(({ id }) => id));
  }

  /** What matters of how streams and consumers are set up; empty while one of them is missing. */
  async #setUp(): Promise<string> {
    const { work, reports, consumer, ingest } = this.#streams.names;
    const manager = await this.#streams.manager();
    const parts: unknown[] = [];
    try {
      for (const stream of [work, reports]) {
        const { subjects, retention, discard, max_age, duplicate_window } = (await manager.streams.info(stream)).config;
        parts.push({ subjects, retention, discard, max_age, duplicate_window });
      }
      for (const [stream, name] of [
        [work, consumer],
        [reports, ingest],
      ] as const) {
        const { ack_wait, filter_subject, max_ack_pending } = (await manager.consumers.info(stream, name)).config;
        parts.push({ ack_wait, filter_subject, max_ack_pending });
      }
    } catch (error) {
      if (error instanceof NatsError && error.jsError()?.code === 404) return "";
      throw error;
    }
    return JSON.stringify(parts);
  }

  async #expectEachOnce(ids: readonly string[]): Promise<void> {
    const { client } = this.#test;
    for (const id of ids) {
      const events = await historyOf(client, id, 60_000);
      expectWholeHistory(events);
      const told = JSON.stringify([kindsOf(events), valuesOf(events, "retryScheduled"), valuesOf(events, "released")]);
      expect(await client.get(id), told).to.include({ state: TaskState.COMPLETED, attempt: 1 });
      expect(this.#journal.attempts(id)).to.deep.equal([1]);
    }
  }
}
