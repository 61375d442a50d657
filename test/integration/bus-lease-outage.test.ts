import { expect } from "chai";
import { startNatsServer } from "#libs/nats-server/start-nats-server.js";
import { TaskState } from "#libs/tasks/task-state.js";
import { LeaseBench } from "#test/support/lease-bench.js";
import { until } from "#test/support/until.js";

const LEASE_MS = 300;

describe("LeaseKeeper and a NATS that goes away", () => {
  it("ends no lease while nobody can be heard, and silent ones a whole lease time after that", async () => {
    const bench = await LeaseBench.start({ leaseMs: LEASE_MS, poisonLosses: 3 });
    try {
      const id = await bench.runningTask();
      const stateAfterRound = async () => {
        await bench.keeper.runOnce();
        return (await bench.task(id)).state;
      };
      await bench.nats.kill();
      await until("it is noticed", () => !bench.bus.connected);
      await bench.passes(LEASE_MS + 10);
      expect(await stateAfterRound()).to.equal(TaskState.RUNNING);
      bench.nats = await startNatsServer({ storeDir: bench.directory.path, port: bench.nats.port });
      await until("it is connected again", () => bench.bus.connected);
      expect(await stateAfterRound()).to.equal(TaskState.RUNNING);
      await bench.passes(LEASE_MS + 10);
      expect(await stateAfterRound()).to.equal(TaskState.PENDING);
    } finally {
      await bench.stop();
    }
  });
});
