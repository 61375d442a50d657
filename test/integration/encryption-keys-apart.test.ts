import { expect } from "chai";
import { TaskState } from "#libs/client/taskwire-client.js";
import { endOf, historyOf, kindsOf } from "#test/support/follow-task.js";
import { keyId, keySettings, KeyedStack, newKey } from "#test/support/keyed-stack.js";
import { logLines } from "#test/support/log-lines.js";
import { until } from "#test/support/until.js";

const KEY_A = newKey();
const KEY_B = newKey();
const TYPE = "secret.tell";
/** Only one worker serves it. */
const EARLY = "early";

describe("When service and workers have different encryption keys, nothing is lost", function () {
  this.timeout(120_000);
  const test = new KeyedStack();

  beforeEach(() => test.start(keySettings(KEY_A), 0));
  after(() => test.stop());

  const logged = (name: string, msg: string) => logLines(test.dataDir, name).filter((line) => line.msg === msg);

  it("a worker without the key gives dispatches back, says so once, and one with the key runs them", async () => {
    const stranger = await test.stack.addWorker({ env: keySettings(KEY_B) });
    const { id } = await test.client.create(TYPE, { word: "a" });
    const msg = "encryption key is missing, dispatches go back";
    const line = await until("the worker says so", () => logged("worker-1", msg)[0]);
    expect(line).to.include({ level: "error", keyId: keyId(KEY_A) });
    expect(await test.client.get(id)).to.include({ state: TaskState.PENDING, attempt: 0 });
    await test.stack.addWorker();
    expect(await endOf(test.client, id)).to.include({ state: TaskState.COMPLETED, attempt: 1 });
    expect(logged("worker-1", msg)).to.have.length(1);
    await stranger.stop();
  });

  it("reports that the service has no key for wait in JetStream, others go on, and they count when the key is there", async () => {
    // Changed in the wrong order: this worker encrypts with a key that the service does not have yet.
    const early = await test.stack.addWorker({ env: { ...keySettings(KEY_B, KEY_A), TASKWIRE_QUEUES: EARLY } });
    const { id } = await test.client.create(TYPE, { word: "b" }, { queue: EARLY });
    const msg = "encryption key is missing, reports stay in JetStream";
    const line = await until("the service says so", () => logged("task-service", msg)[0]);
    expect(line).to.include({ level: "error", keyId: keyId(KEY_B) });
    await early.stop();
    await test.stack.addWorker();
    expect(await test.client.get(id)).to.include({ state: TaskState.PENDING, attempt: 0 });
    const other = await test.client.create(TYPE, { word: "c" });
    expect(await endOf(test.client, other.id)).to.include({ state: TaskState.COMPLETED });
    await test.start(keySettings(KEY_A, KEY_B), 0);
    expect(await endOf(test.client, id)).to.deep.include({ state: TaskState.COMPLETED, result: { told: "result-b" } });
    expect(kindsOf(await historyOf(test.client, id)).filter((kind) => kind === "completed")).to.have.length(1);
  });
});
