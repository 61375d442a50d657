import { expect } from "chai";
import { AttemptOutcome, TaskState, type Task } from "#libs/client/taskwire-client.js";
import { fixturePath } from "#test/fixtures/tasks/fixture-path.js";
import { eventOf } from "#test/support/follow-task.js";
import { Gate } from "#test/support/gate.js";
import { JournalFile } from "#test/support/journal-file.js";
import { SteadyCreates } from "#test/support/steady-creates.js";
import { startTestStack, type TestStack } from "#test/support/test-stack.js";
import { until } from "#test/support/until.js";

const WORKERS = 2;
const ROUNDS = 2;
const LONG = 3;

describe("When service and workers are restarted one after the other under load", function () {
  this.timeout(180_000);
  let test: TestStack;
  let journal: JournalFile;
  let created: readonly string[];
  let long: readonly string[];
  let tasks: ReadonlyMap<string, Task>;

  before(async () => {
    test = await startTestStack({
      workers: WORKERS,
      workerArgs: ["--tasks", fixturePath("trouble-tasks.js")],
      workerEnv: { TASKWIRE_SLOTS: "4", TASKWIRE_DRAIN_TIMEOUT_MS: "200" },
    });
    const { client, stack, dataDir } = test;
    journal = new JournalFile(dataDir);
    const gate = new Gate(dataDir, "long");
    const payload = { file: journal.path, ...gate.payload };
    const asked = Array.from({ length: LONG }, () => client.create("trouble.journal", payload, { maxAttempts: 1 }));
    long = (await Promise.all(asked)).map(({ id }) => id);
    await Promise.all(long.map((id) => eventOf(client, id, "progress")));
    const creates = new SteadyCreates(client, "trouble.brief", 4, { file: journal.path });
    for (let round = 1; round <= ROUNDS; round += 1) {
      for (const part of [stack.service, ...stack.workers]) {
        await creates.more(50);
        await part.restart();
      }
    }
    created = await creates.stop();
    gate.open();
    tasks = await until("every task has ended", allEnded, 90_000);
  });
  after(() => test?.stop());

  async function allEnded(): Promise<ReadonlyMap<string, Task> | undefined> {
    const found = new Map<string, Task>();
    for await (const task of test.client.list({ pageSize: 1000 })) found.set(task.id, task);
    return [...found.values()].some(({ state }) => state < TaskState.COMPLETED) ? undefined : found;
  }

  it("nothing is lost, and nothing is there that nobody created", () => {
    const wrong = [...created, ...long].filter((id) => tasks.get(id)?.state !== TaskState.COMPLETED);
    expect(wrong, "created, but not COMPLETED").to.deep.equal([]);
    expect(tasks.size).to.equal(created.length + long.length);
  });

  it("nothing runs twice but what was handed back, and that does not count (Accounted attempts)", async () => {
    const steps = journal.allSteps();
    for (const { id, attempt, type } of tasks.values()) {
      const ran = type === "trouble.brief" ? (steps.get(id) ?? []) : journal.attempts(id);
      expect(ran, `${id} has run once per attempt`).to.deep.equal([...new Set(ran)].sort((a, b) => a - b));
      expect(ran.at(-1), `${id} has run as the attempt that completed it`).to.equal(attempt);
      if (attempt === 1) continue;
      const ends: [AttemptOutcome, boolean][] = [];
      for await (const { outcome, counted } of test.client.attempts(id)) ends.push([outcome, counted]);
      expect(ends).to.deep.equal([
        ...Array.from({ length: attempt - 1 }, () => [AttemptOutcome.RELEASED, false]),
        [AttemptOutcome.SUCCEEDED, true],
      ]);
    }
    expect(long.map((id) => tasks.get(id)?.attempt ?? 0).some((attempt) => attempt > 1)).to.equal(true);
  });
});
