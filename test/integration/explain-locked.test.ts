import { join } from "node:path";
import Sqlite from "better-sqlite3";
import { expect } from "chai";
import { TaskState } from "#libs/client/taskwire-client.js";
import { explainedBy, reasonsOf, valueOf } from "#test/support/explained.js";
import { endOf } from "#test/support/follow-task.js";
import { keyId, keySettings, KeyedStack, newKey } from "#test/support/keyed-stack.js";
import { logLines } from "#test/support/log-lines.js";
import { until } from "#test/support/until.js";

const TYPE = "secret.tell";
const KEY_A = newKey();
const KEY_B = newKey();
const EARLY = "early";

describe("ExplainTask where encryption keys are missing", function () {
  this.timeout(120_000);
  const test = new KeyedStack();

  after(() => test.stop());

  it("names the key of a payload that cannot be opened, and says of another that it is broken", async () => {
    await test.start(keySettings(KEY_A), 0);
    const locked = await test.client.create(TYPE, { word: "a" });
    const broken = await test.client.create(TYPE, { word: "b" });
    const runTime = new Date(Date.now() + 3_600_000);
    const delayed = await test.client.create(TYPE, { word: "c" }, { runTime });
    expect(reasonsOf(await test.client.explain(locked.id))).to.deep.equal(["noWorkers", "inLine"]);
    await test.start(keySettings(KEY_B), 1);
    const explanation = await test.client.explain(locked.id);
    expect(reasonsOf(explanation)).to.deep.equal(["lockedPayload"]);
    expect(valueOf(explanation, "lockedPayload")).to.deep.equal({ keyId: keyId(KEY_A) });
    expect(explanation.summary).to.equal(
      `The task is PENDING: its payload is encrypted with the key ${keyId(KEY_A)}, which the task-service does not have.`,
    );
    expect(reasonsOf(await test.client.explain(delayed.id))).to.deep.equal(["lockedPayload", "delayed"]);

    const database = new Sqlite(join(test.dataDir, "taskwire.db"));
    database
      .prepare("update tasks set payload = (select payload from tasks where id = ?) where id = ?")
      .run(locked.id, broken.id);
    database.close();
    await test.start(keySettings(KEY_B, KEY_A), 1);
    await endOf(test.client, locked.id);
    const exchanged = await test.client.explain(broken.id);
    expect(valueOf(exchanged, "lockedPayload")).to.deep.equal({ keyId: "" });
    expect(exchanged.summary).to.include(": its payload is encrypted and broken, so it is not dispatched");
  });

  it("tells of no start that is under way because reports of before wait for their key", async () => {
    await test.start(keySettings(KEY_A), 0);
    const early = await test.stack.addWorker({ env: { ...keySettings(KEY_B, KEY_A), TASKWIRE_QUEUES: EARLY } });
    await test.client.create(TYPE, { word: "d" }, { queue: EARLY });
    const msg = "encryption key is missing, reports stay in JetStream";
    await until("the reports stay", () => logLines(test.dataDir, "task-service").find((line) => line.msg === msg));
    await early.stop();
    await test.stack.service.restart();
    const { id } = await test.client.create(TYPE, { word: "e" });
    const going = await explainedBy(test.client, id, "noWorkers");
    expect(going).to.include({ state: TaskState.PENDING });
    expect(reasonsOf(going)).to.deep.equal(["noWorkers", "inLine"]);
  });
});
