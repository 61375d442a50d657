import { expect } from "chai";
import { TaskState } from "#libs/client/taskwire-client.js";
import { endOf, historyOf, valuesOf } from "#test/support/follow-task.js";
import { keyId, keySettings, KeyedStack, newKey } from "#test/support/keyed-stack.js";
import { logLines } from "#test/support/log-lines.js";
import { rejectionOf } from "#test/support/rejection-of.js";
import { until } from "#test/support/until.js";

const KEY_A = newKey();
const KEY_B = newKey();
/** Queues that a worker serves only when a test starts one for them. */
const LATER = "later";
const MUCH_LATER = "much-later";
/** More than the dispatcher reads at once. */
const CROWD = 1100;
const missingA = { code: "FAILED_PRECONDITION", reason: "KEY_MISSING" };

/** The tests build on each other: one installation through its rotations. */
describe("When the encryption key is changed, nothing that was encrypted before is lost", function () {
  this.timeout(120_000);
  const test = new KeyedStack();
  const ids: string[] = [];
  let second: string;
  let third: string;
  const request = { requestId: "rotation-1" };

  before(async () => {
    await test.start({});
    ids.push((await test.client.create("secret.tell", { word: "plain" })).id);
    await endOf(test.client, ids[0] ?? "");
  });
  after(() => test.stop());

  const logged = (msg: string) => logLines(test.dataDir, "task-service").filter((line) => line.msg === msg);

  async function expectReadable(id: string, word: string): Promise<void> {
    const task = await test.client.get(id);
    expect(task).to.deep.include({ state: TaskState.COMPLETED, payload: { word }, result: { told: `result-${word}` } });
    const events = await historyOf(test.client, id);
    expect(valuesOf(events, "output")[0]?.text).to.equal(`output-${word}`);
    expect(valuesOf(events, "completed")[0]?.result).to.deep.equal({ told: `result-${word}` });
  }

  it("encryption can be switched on over a database that has plain tasks", async () => {
    await test.start(keySettings(KEY_A));
    await expectReadable(ids[0] ?? "", "plain");
    const { id } = await test.client.create("secret.tell", { word: "first" }, request);
    ids.push(id);
    await endOf(test.client, id);
    second = (await test.client.create("secret.tell", { word: "second" }, { queue: LATER })).id;
    third = (await test.client.create("secret.tell", { word: "third" }, { queue: MUCH_LATER })).id;
    const one = { type: "secret.tell", payload: { word: "crowd" }, queue: MUCH_LATER };
    const half = Array.from({ length: CROWD / 2 }, () => one);
    await Promise.all([test.client.createMany(half), test.client.createMany(half)]);
  });

  it("with the old key beside the new one, tasks of before are read, repeated and run", async () => {
    await test.start(keySettings(KEY_B, KEY_A));
    await expectReadable(ids[0] ?? "", "plain");
    await expectReadable(ids[1] ?? "", "first");
    expect((await test.client.create("secret.tell", { word: "first" }, request)).id).to.equal(ids[1]);
    const reused = await rejectionOf(test.client.create("secret.tell", { word: "another" }, request));
    expect(reused).to.include({ reason: "REQUEST_ID_REUSED" });
    await test.stack.addWorker({ env: { ...keySettings(KEY_B, KEY_A), TASKWIRE_QUEUES: LATER } });
    await endOf(test.client, second);
    await expectReadable(second, "second");
  });

  it("without the old key, what needs it is refused with the key's id, and everything else goes on", async () => {
    await test.start(keySettings(KEY_B));
    const first = ids[1] ?? "";
    const refusals = [
      () => test.client.get(first),
      () => historyOf(test.client, first),
      () => test.client.create("secret.tell", { word: "first" }, request),
    ];
    for (const refusal of refusals) {
      const error = await rejectionOf(refusal());
      expect(error).to.include(missingA);
      expect(error.message).to.contain(keyId(KEY_A)).and.not.to.contain(KEY_A.slice(8, 24));
    }
    expect(await test.client.get(first, { full: false })).to.include({ id: first, state: TaskState.COMPLETED });
    await expectReadable(ids[0] ?? "", "plain");
  });

  it("without it, tasks that wait for it stand in no other's way, and the log says so once", async () => {
    await test.stack.addWorker({ env: { ...keySettings(KEY_B), TASKWIRE_QUEUES: MUCH_LATER } });
    const line = await until("the missing key is logged", () => logged("encryption key is missing, its tasks wait")[0]);
    expect(line).to.include({ level: "error", keyId: keyId(KEY_A), taskId: third });
    for (const word of ["fourth", "fifth"]) {
      const { id } = await test.client.create("secret.tell", { word }, { queue: MUCH_LATER });
      await endOf(test.client, id);
      await expectReadable(id, word);
    }
    expect(await test.client.get(third, { full: false })).to.include({ state: TaskState.PENDING, attempt: 0 });
    expect(logged("encryption key is missing, its tasks wait")).to.have.length(1);
  });

  it("when the key is back, that task runs", async () => {
    await test.start(keySettings(KEY_B, KEY_A));
    await test.stack.addWorker({ env: { ...keySettings(KEY_B, KEY_A), TASKWIRE_QUEUES: MUCH_LATER } });
    await endOf(test.client, third);
    await expectReadable(third, "third");
    await expectReadable(ids[1] ?? "", "first");
  });

  it("encryption can be switched off as long as the keys are there to read", async () => {
    await test.start({ ...keySettings(KEY_B, KEY_A), TASKWIRE_ENCRYPTION: "off" });
    await expectReadable(ids[1] ?? "", "first");
    const { id } = await test.client.create("secret.tell", { word: "last" });
    await endOf(test.client, id);
    await test.start({});
    await expectReadable(id, "last");
    expect(await rejectionOf(test.client.get(ids[1] ?? ""))).to.include(missingA);
  });
});
