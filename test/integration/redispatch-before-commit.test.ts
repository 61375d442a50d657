import { expect } from "chai";
import { describeWithFaults } from "#test/faults/describe-with-faults.js";
import { startFaultyStack, type FaultyStack } from "#test/faults/faulty-stack.js";
import { endOf, expectWholeHistory, historyOf } from "#test/support/follow-task.js";
import { freezeProcess } from "#test/support/freeze-process.js";
import { JournalFile } from "#test/support/journal-file.js";
import { scrape } from "#test/support/scrape.js";
import { until } from "#test/support/until.js";

/** The test ends the delay, it does not sit it out. */
const FSYNC_DELAY_MS = 60_000;

describeWithFaults("When an attempt has run and its reports are not committed yet (At-least-once run)", function () {
  this.timeout(60_000);
  let test: FaultyStack;

  before(async () => {
    test = await startFaultyStack({ tasks: "trouble-tasks.js", serviceEnv: { TASKWIRE_REDISPATCH_MS: "500" } });
  });
  after(() => test?.stop());

  it("another dispatch of it does not run it again", async () => {
    const { client, impatient, shim, stack, dataDir } = test;
    const journal = new JournalFile(dataDir);
    const redispatches = async () => (await scrape(stack.httpUrl)).value("taskwire_redispatches_total");
    const [worker] = stack.workers;
    if (worker === undefined) throw new Error("there is a worker");
    await freezeProcess(worker.pid);
    const { id } = await client.create("trouble.brief", { file: journal.path });
    shim.setSlowFsyncMs(FSYNC_DELAY_MS);
    const blocking = impatient.create("inline.echo").catch(() => undefined);
    process.kill(worker.pid, "SIGCONT");
    await until("it has run", () => journal.steps(id).length > 0);
    await until("it was dispatched again", async () => (await redispatches()) > 0);
    shim.setSlowFsyncMs(0);
    await blocking;
    await endOf(client, id);
    expectWholeHistory(await historyOf(client, id));
    expect(journal.steps(id)).to.deep.equal([1]);
  });
});
