import { expect } from "chai";
import { TaskState } from "#libs/client/taskwire-client.js";
import { TaskCancelled_Phase as Phase } from "#libs/proto/gen/taskwire/v1/task_event.js";
import { fixturePath } from "#test/fixtures/tasks/fixture-path.js";
import { endOf, eventOf, expectWholeHistory, historyOf, kindsOf, valuesOf } from "#test/support/follow-task.js";
import { JournalFile } from "#test/support/journal-file.js";
import { rejectionOf } from "#test/support/rejection-of.js";
import { runShell } from "#test/support/run-shell.js";
import { startTestStack, type TestStack } from "#test/support/test-stack.js";

const GRACE_MS = 3000;
/** A retry delay is random up to this. */
const DAY_MS = 86_400_000;
const NEVER = "no such gate";

describe("The phases of a cancel, each an event (Stops when told)", function () {
  this.timeout(90_000);
  let test: TestStack;
  let journal: JournalFile;

  before(async () => {
    test = await startTestStack({
      workerArgs: ["--tasks", fixturePath("trouble-tasks.js"), "--tasks", fixturePath("process-tasks.js")],
      workerEnv: { TASKWIRE_SLOTS: "1", TASKWIRE_CANCEL_GRACE_MS: String(GRACE_MS) },
    });
    journal = new JournalFile(test.dataDir);
  });
  after(() => test?.stop());

  async function begun(type: string, payload: Record<string, unknown>): Promise<string> {
    const { id } = await test.client.create(type, payload);
    await eventOf(test.client, id, "progress");
    return id;
  }

  const cases = [
    {
      handler: "one that listens",
      type: "trouble.journal",
      deaf: false,
      phases: ["cancelDelivered", "cancelAcknowledged"],
      end: Phase.COOPERATIVE,
    },
    {
      handler: "one that hears and does not listen",
      type: "trouble.journal",
      deaf: true,
      phases: ["cancelDelivered", "cancelAcknowledged", "cancelGraceExpired"],
      end: Phase.KILLED,
    },
    {
      handler: "one that spins",
      type: "process.spin",
      deaf: true,
      phases: ["cancelDelivered", "cancelGraceExpired"],
      end: Phase.KILLED,
    },
  ];
  for (const { handler, type, deaf, phases, end } of cases) {
    it(`of ${handler}: ${phases.join(", ")}; and no code of it runs after CANCELLED`, async () => {
      const { client } = test;
      const id = await begun(type, { file: journal.path, gate: NEVER, deaf });
      await client.cancel(id, "phases");
      const events = await historyOf(client, id);
      const steps = journal.steps(id).length;
      expectWholeHistory(events);
      expect(kindsOf(events)).to.deep.equal([
        ...["created", "started", "progress", "cancelRequested", ...phases, "cancelled"],
      ]);
      expect(valuesOf(events, "cancelled")).to.deep.equal([{ phase: end, reason: "phases" }]);
      for (const { graceMs } of valuesOf(events, "cancelGraceExpired")) expect(graceMs).to.equal(GRACE_MS);
      await client.run("trouble.journal", { file: journal.path });
      expect(journal.steps(id), "steps after CANCELLED").to.have.lengthOf(steps);
    });
  }

  it("a client of another make cancels what this one has created", async () => {
    const { client, address, dataDir } = test;
    const id = await begun("trouble.journal", { file: journal.path, gate: NEVER });
    const request = `-d '{"id":"${id}","reason":"by buf"}' ${address} taskwire.v1.TaskService/CancelTask`;
    const { exitCode, stderr } = await runShell(`grpcurl -plaintext ${request}`, { cwd: dataDir, env: {} });
    expect(exitCode, stderr).to.equal(0);
    expect((await endOf(client, id)).error).to.include({ code: "CANCELLED", message: "by buf" });
  });

  it("a waiting retry is CANCELLED at once and keeps its history", async () => {
    const { client } = test;
    const { id } = await client.create("process.throw", {}, { initialDelayMs: DAY_MS, maximumDelayMs: DAY_MS });
    await eventOf(client, id, "retryScheduled");
    expect((await client.cancel(id)).state).to.equal(TaskState.CANCELLED);
    const kinds = kindsOf(await historyOf(client, id));
    expect(kinds).to.deep.equal(["created", "started", "retryScheduled", "cancelRequested", "cancelled"]);
  });

  it("a FAILED task is refused, a CANCELLED one answers as before", async () => {
    const { client } = test;
    const failed = await client.create("process.outcomes", { outcome: "permanent" });
    const before = await endOf(client, failed.id);
    const refusal = await rejectionOf(client.cancel(failed.id));
    expect(refusal).to.include({ code: "FAILED_PRECONDITION", reason: "TASK_ALREADY_FINISHED" });
    expect(await client.get(failed.id)).to.deep.equal(before);
    const { id } = await client.create("process.echo", {}, { runTime: new Date(Date.now() + 3_600_000) });
    const cancelled = await client.cancel(id, "delayed");
    expect(cancelled.state).to.equal(TaskState.CANCELLED);
    expect(await client.cancel(id, "again")).to.deep.equal(cancelled);
  });
});
