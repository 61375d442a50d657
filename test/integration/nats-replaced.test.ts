import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { TaskState } from "#libs/client/taskwire-client.js";
import { environment } from "#libs/config/environment.js";
import { fixturePath } from "#test/fixtures/tasks/fixture-path.js";
import { endOf, eventOf, expectWholeHistory, historyOf } from "#test/support/follow-task.js";
import { Gate } from "#test/support/gate.js";
import { JournalFile } from "#test/support/journal-file.js";
import { startTestStack } from "#test/support/test-stack.js";

/** What `scripts/fetch-other-nats-server.sh` fetches where it can. */
const CACHED = fileURLToPath(new URL("../../../.cache/other-nats-server/nats-server", import.meta.url));
const OTHER = environment().TASKWIRE_OTHER_NATS_SERVER ?? CACHED;
const WAITING = 100;

describe("When NATS is replaced by another version (One truth)", function () {
  this.timeout(90_000);

  if (!existsSync(OTHER)) {
    it("does not run here: there is no nats-server of another version, see TASKWIRE_OTHER_NATS_SERVER");
    return;
  }

  for (const { title, binaries, isOnce } of [
    { title: "a later one: nothing is lost and nothing runs twice", binaries: [OTHER], isOnce: true },
    {
      title: "a later one and the first one again, which may not read what the other stored: nothing is lost",
      binaries: [OTHER, undefined],
      isOnce: false,
    },
  ]) {
    it(title, async () => {
      const test = await startTestStack({
        workerArgs: ["--tasks", fixturePath("trouble-tasks.js")],
        workerEnv: { TASKWIRE_SLOTS: "2" },
      });
      try {
        const { client, stack } = test;
        const gate = new Gate(test.dataDir, "replaced");
        const journal = new JournalFile(test.dataDir);
        const payload = { file: journal.path };
        const running = await client.create("trouble.journal", { ...payload, ...gate.payload });
        await eventOf(client, running.id, "progress");
        const waiting = await client.createMany(Array.from({ length: WAITING }, () => ({ type: "system.no_op" })));
        for (const binary of binaries) {
          await stack.nats.restart(binary === undefined ? {} : { binary });
          waiting.push(await client.create("trouble.journal", payload));
        }
        gate.open();
        for (const { id } of [running, ...waiting]) {
          const { state, attempt } = await endOf(client, id);
          expect(state).to.equal(TaskState.COMPLETED);
          expectWholeHistory(await historyOf(client, id));
          if (isOnce) expect(attempt).to.equal(1);
        }
        if (isOnce) for (const [id] of journal.allSteps()) expect(journal.attempts(id)).to.deep.equal([1]);
        expect(await client.run("system.health_check")).to.be.an("object");
      } finally {
        await test.stop();
      }
    });
  }
});
